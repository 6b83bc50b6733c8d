# What x and the scripts beside this file share. Sourced, never run.

say() { printf '%s\n' "$*"; }
die() { printf 'x: %s\n' "$*" >&2; exit 1; }

# A port on 127.0.0.1 that nobody listens on, below the range from which the kernel takes ports by itself.
port_taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() {
  local port
  for _ in {1..200}; do
    port=$((20000 + RANDOM % 12000))
    port_taken "$port" || { echo "$port"; return; }
  done
  die "no free port found between 20000 and 31999 on 127.0.0.1"
}

# The process that a pid file names, if its command line still contains the given text: pids are used again.
pid_of() {
  local pid
  [ -s "$1" ] && pid=$(<"$1") && [ -r "/proc/$pid/cmdline" ] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$2" && echo "$pid"
}

await_end() {
  for ((i = 0; i < $2 * 10; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.1
  done
  return 1
}

# SIGTERM, wait, and SIGKILL only after so many seconds.
stop_pid() {
  kill -TERM "$1" 2>/dev/null || return 0
  await_end "$1" "$2" && return 0                 # a bare return in an EXIT trap has the status before it
  say "process $1 did not end within $2 s of SIGTERM: killing it"
  kill -KILL "$1" 2>/dev/null || true
}

# Runs a command in a session of its own and waits, so that a signal to this script is served at once; whoever
# traps it calls end_step. Background jobs of a script ignore SIGINT: the command must not inherit that.
step_pid=
step() {
  setsid env --default-signal=INT,QUIT "$@" 9>&- &
  step_pid=$!
  local status=0
  wait "$step_pid" || status=$?
  step_pid=
  return $status
}
end_step() { [ -z "$step_pid" ] || kill -TERM -- "-$step_pid" 2>/dev/null || true; }

# The same, with a headline before and the time it took after.
phase() {
  local name=$1 begin=$SECONDS status=0
  shift
  say "== $name"
  step "$@" || status=$?
  say "== $name: $((SECONDS - begin)) s$([ $status = 0 ] || echo ", failed with status $status")"
  return $status
}

build_tree() {
  cd "$root"
  local cache=build/$1/CMakeCache.txt
  # A clone that was moved or copied with its build folder.
  if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then rm -rf "build/$1"; fi
  phase "configure $1" flock "$state/build.lock" cmake --preset "$1"
}

# build PRESET [TARGET...]: the two lines that one would type, one build of a clone at a time.
build() {
  local preset=$1
  shift
  build_tree "$preset" && phase "build $preset" \
    flock "$state/build.lock" cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"}
}
product=(host/all plugins/all plugin-api/all packaging/all)       # what runs, without what tests it
# what ./x chaos needs besides
chaos=(chaos_bank chaos_cutter chaos_trimmer bank_client bank_client_b bank_client_c)
sim=(orderd_sim)                                  # all that ./x sim needs

# GCC 12's sanitizers cannot live with more than 28 random bits in addresses, which newer kernels have.
sanitizers_can_run() {
  no_aslr=()
  local bits
  bits=$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)
  if [ "$bits" -gt 28 ] && setarch -R true 2>/dev/null; then
    no_aslr=(setarch -R)
  fi
}
