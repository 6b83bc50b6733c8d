#!/usr/bin/env bash
# One Apache Kafka node (KRaft, no ZooKeeper) of one's own on 127.0.0.1, with a plain and an mTLS listener.
#
#   kafka.sh start DIR [--port N] [--tls-port N] [--heap 192m] [--nice 0]
#                       fetch the jars if needed, make certificates, format, start, wait until it serves;
#                       prints PLAIN_ADDRESS TLS_ADDRESS. Ports not given: those it had before, or free ones
#   kafka.sh stop DIR   end it in order; `kill DIR` ends it at once, and `start` then recovers the same data
#   kafka.sh certs DIR  only the certificates: DIR/certs/{ca,client}.{crt,key}, and other-ca, other-client,
#                       whom the broker does not trust
#   kafka.sh jars       only fetch; they are kept in ${XDG_CACHE_HOME:-~/.cache}/orderd/kafka-4.4.0
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/lib.sh"

jars=${XDG_CACHE_HOME:-~/.cache}/orderd/kafka-4.4.0
copy_jars=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies
start_seconds_max=120
stop_seconds_max=30
cluster_id=b3JkZXJkLWthZmthLTAwMQ                 # any 16 bytes; fixed, so that a restart matches its data

fetch_jars() {
  [ ! -d "$jars" ] || return 0
  mkdir -p "${jars%/*}"
  exec 8>"$jars.lock"
  flock 8                                         # another clone may be fetching them right now
  [ ! -d "$jars" ] || return 0
  say "Fetching Apache Kafka 4.4.0 from Maven Central into $jars" >&2
  rm -rf "$jars.new"
  mvn -B -q -f "$here/pom.xml" "-Djars=$jars.new" "$copy_jars" 2>&1 8>&- |
    sed 's/\x1b\[[0-9;]*m//g; /^$/d' >&2 ||      # it colours even what nobody looks at
    die "Maven could not fetch Kafka: it needs Maven Central over https, or a mirror in ~/.m2/settings.xml"
  mv "$jars.new" "$jars"
  exec 8>&-
}

java_command() {
  local java
  for java in /usr/lib/jvm/java-17-*/bin/java; do [ ! -x "$java" ] || { echo "$java"; return; }; done
  command -v java || die "no Java runtime found (Debian package openjdk-17-jre-headless)"
}

# Least CPU and memory at start: serial collector, first compiler only.
jvm_options() {
  options=("-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError
    "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$jars/*")
}

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -subj "/CN=$1" -keyout "$1.key" -out "$1.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# certificate NAME AUTHORITY USAGE ALTERNATIVE_NAMES
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -set_serial "0x$(openssl rand -hex 8)" \
    -days 3650 -out "$1.crt" -extfile <(printf '%s\n' basicConstraints=critical,CA:FALSE \
      keyUsage=critical,digitalSignature "extendedKeyUsage=$3" "subjectAltName=$4")
  rm "$1.csr"
}

make_certs() {
  [ ! -d "$dir/certs" ] || return 0
  rm -rf "$dir/certs.new"
  mkdir -p "$dir/certs.new"
  (
    umask 077
    cd "$dir/certs.new"
    authority ca
    authority other-ca
    certificate server ca serverAuth,clientAuth DNS:localhost,IP:127.0.0.1
    certificate client ca clientAuth DNS:client
    certificate other-client other-ca clientAuth DNS:client
    cat server.key server.crt ca.crt >server.pem
  ) >"$dir/certs.log" 2>&1 ||
    { cat "$dir/certs.log" >&2; die "openssl could not make Kafka's certificates in $dir/certs.new"; }
  mv "$dir/certs.new" "$dir/certs"
}

# The port asked for; else the one this node had; else a free one.
choose_port() {
  local port=${1:-$(sed -n "s/^$2=//p" "$dir/ports" 2>/dev/null)}
  if [ -n "$1" ]; then ! port_taken "$1" || die "Kafka's port $1 is in use on 127.0.0.1"; fi
  if [ -z "$port" ] || port_taken "$port"; then port=$(free_port); fi
  printf '%s=%s\n' "$2" "$port" >>"$dir/ports.new"
}

configure() {
  : >"$dir/ports.new"
  choose_port "$port" PORT
  choose_port "$tls_port" TLS_PORT
  choose_port "" CONTROLLER_PORT
  mv "$dir/ports.new" "$dir/ports"
  local script
  script=$(sed 's/\(.*\)=\(.*\)/s#@\1@#\2#/' "$dir/ports")
  sed -e "$script" -e "s#@DIR@#$dir#" "$here/server.properties.in" >"$dir/server.properties"
}

running() { pid_of "$dir/pid" "kafka.Kafka $dir/server.properties" >/dev/null; }

start() {
  fetch_jars
  make_certs
  local java options
  java=$(java_command)
  jvm_options
  if ! running; then
    configure
    [ -f "$dir/data/meta.properties" ] ||
      "$java" "${options[@]}" kafka.tools.StorageTool format -t "$cluster_id" -c "$dir/server.properties" \
        >"$dir/format.log" 2>&1 ||
      { cat "$dir/format.log" >&2; die "Kafka could not format $dir/data"; }
    launch
  fi
  say "127.0.0.1:$(sed -n 's/^PORT=//p' "$dir/ports") 127.0.0.1:$(sed -n 's/^TLS_PORT=//p' "$dir/ports")"
}

launch() {
  local log=$dir/log pid
  [ ! -f "$log" ] || mv "$log" "$log.before"
  : >"$log"
  setsid nice -n "$nice" "$java" "${options[@]}" kafka.Kafka "$dir/server.properties" \
    >"$log" 2>&1 </dev/null &
  pid=$!
  echo "$pid" >"$dir/pid"
  for ((i = 0; i < start_seconds_max * 10; i++)); do
    ! grep -q 'Kafka Server started' "$log" || return 0
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  tail -n 30 "$log" >&2
  stop_pid "$pid" 5
  die "Kafka did not start within $start_seconds_max s; its log is $log"
}

end() {
  local pid
  pid=$(pid_of "$dir/pid" "kafka.Kafka $dir/server.properties") || return 0
  if [ "$1" = stop ]; then
    stop_pid "$pid" $stop_seconds_max
  else
    kill -KILL "$pid" && await_end "$pid" 10
  fi
  rm -f "$dir/pid"
}

usage() { sed -n '2,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2; }

command=${1:-} dir=${2:-} port='' tls_port='' heap=192m nice=0
[ "$command" != jars ] || { fetch_jars; exit; }
[ -n "$dir" ] || usage
shift 2
while [ $# -gt 1 ]; do
  case $1 in
    --port) port=$2 ;;
    --tls-port) tls_port=$2 ;;
    --heap) heap=$2 ;;
    --nice) nice=$2 ;;
    *) usage ;;
  esac
  shift 2
done
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
case $command in
  start) start ;;
  stop | kill) end "$command" ;;
  certs) make_certs ;;
  *) usage ;;
esac
