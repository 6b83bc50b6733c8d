// A prototype of `isolation = process`, with the headers and a .so as they are: a child loads the plugin;
// commands and outcomes cross a SEQPACKET socket, one packet each. Shows that nothing in the ABI needs a
// shared address space: a ticket is a value, a command and an outcome are flat once their views are, and a
// dead child is an end of file, which the parent takes as UNKNOWN for what it had open. main.cpp PLUGIN.so
#include <dlfcn.h>
#include <orderd/settings.h>
#include <orderd/step.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

namespace {

constexpr std::size_t packet_bytes_max = 64 * 1024;

/// A struct, then the bytes of its views, each with its size in the struct.
template <class Struct>
std::string pack(const Struct& head, std::initializer_list<orderd_view> views) {
  std::string packet(reinterpret_cast<const char*>(&head), sizeof head);
  for (const orderd_view& view : views)
    if (view.data) packet.append(view.data, view.size);
  return packet;
}

/// The struct again, its views pointing into `packet`.
template <class Struct>
Struct unpack(const std::string& packet, std::initializer_list<orderd_view Struct::*> views) {
  Struct head;
  std::memcpy(&head, packet.data(), sizeof head);
  const char* at = packet.data() + sizeof head;
  for (const auto view : views) {
    if (!(head.*view).data) continue;
    (head.*view).data = at;
    at += (head.*view).size;
  }
  return head;
}

void check(bool held, const char* what) {
  if (held) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

/// "" at the end of file.
std::string receive(int socket) {
  std::string packet(packet_bytes_max, '\0');
  const ssize_t size = recv(socket, packet.data(), packet.size(), 0);
  packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return packet;
}

struct Completed {
  orderd_ticket ticket;
  orderd_outcome outcome;
  orderd_view reference;
};

/// The host as the child's plugin sees it: completions go into the socket.
int child_socket = -1;

orderd_status complete(const orderd_host*, orderd_ticket ticket, const orderd_outcome* outcome) {
  const Completed completed{ticket, *outcome, outcome->provider_reference};
  const std::string packet = pack(completed, {completed.reference});
  return send(child_socket, packet.data(), packet.size(), MSG_NOSIGNAL) > 0 ? ORDERD_OK : ORDERD_E_INTERNAL;
}
orderd_status get(const orderd_host*, const char*, orderd_view* value) {
  *value = {nullptr, 0};
  return ORDERD_E_NOT_FOUND;
}
std::uint32_t count(const orderd_host*) { return 0; }
orderd_status at(const orderd_host*, std::uint32_t, orderd_view*, orderd_view*) { return ORDERD_E_NOT_FOUND; }

const void* host_extension(const orderd_host*, const char* id) {
  static const orderd_completion_v1 completion = {complete};
  static const orderd_settings_v1 settings = {get, count, at};
  if (std::strcmp(id, ORDERD_EXT_COMPLETION) == 0) return &completion;
  return std::strcmp(id, ORDERD_EXT_SETTINGS) == 0 ? &settings : nullptr;
}

void serve(const char* library, int socket) {
  child_socket = socket;
  void* mapped = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  check(mapped != nullptr, "the child loads the plugin");
  const auto entry = reinterpret_cast<const orderd_descriptor* (*)()>(dlsym(mapped, ORDERD_PLUGIN_ENTRY));
  orderd_host host;
  ORDERD_CLEAR(host);
  host.get_extension = host_extension;
  orderd_plugin* plugin = entry()->create(&host);
  check(plugin->init(plugin, nullptr) == ORDERD_OK && plugin->start(plugin, nullptr) == ORDERD_OK,
        "it starts");
  const auto* step = static_cast<const orderd_step_v1*>(plugin->get_extension(plugin, ORDERD_EXT_STEP));
  for (std::string packet = receive(socket); !packet.empty(); packet = receive(socket)) {
    orderd_command command = unpack<orderd_command>(
        packet, {&orderd_command::key, &orderd_command::subject, &orderd_command::method,
                 &orderd_command::state, &orderd_command::details_json});
    orderd_line line;
    ORDERD_CLEAR(line);
    line.quantity = 1;
    const orderd_line* lines[] = {&line};
    command.lines = lines;
    const orderd_command* commands[] = {&command};
    step->execute(plugin, commands, 1, nullptr);
  }
  plugin->stop(plugin);
  plugin->destroy(plugin);
  std::exit(0);
}

struct Child {
  int socket = -1;
  pid_t pid = -1;
  explicit Child(const char* library) {
    int ends[2];
    check(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0, "socketpair");
    pid = fork();
    if (pid == 0) {
      close(ends[0]);
      serve(library, ends[1]);
    }
    close(ends[1]);
    socket = ends[0];
  }
  int end() const {
    close(socket);
    int status = 0;
    waitpid(pid, &status, 0);
    return status;
  }
  /// nullopt: the child is gone, the outcome UNKNOWN.
  std::optional<Completed> run(const char* method, orderd_ticket ticket, std::string& packet) const {
    orderd_command command;
    ORDERD_CLEAR(command);
    command.ticket = ticket;
    command.key = orderd_text("pay-1.authorize.1.g1");
    command.subject = orderd_text("pay-1");
    command.method = orderd_text(method);
    command.details_json = orderd_text("{}");
    packet =
        pack(command, {command.key, command.subject, command.method, command.state, command.details_json});
    if (send(socket, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
    packet = receive(socket);
    if (packet.empty()) return std::nullopt;
    return unpack<Completed>(packet, {&Completed::reference});
  }
};

}  // namespace

int main(int count_of_arguments, char** arguments) {
  check(count_of_arguments == 2, "usage: abi_process_prototype PLUGIN.so");
  std::string packet;
  const Child healthy(arguments[1]);
  for (const char* method : {"inline", "thread", "full"}) {
    const auto done = healthy.run(method, {7, 9}, packet);
    check(done.has_value() && done->ticket.slot == 7 && done->ticket.generation == 9,
          "the ticket comes back");
    check(done->outcome.kind == ORDERD_DONE, "the outcome comes back");
    if (std::string(method) == "full")
      check(orderd_view_is(done->reference, "pay-1") == 1, "its texts come back");
  }
  check(WIFEXITED(healthy.end()), "an end of file ends the child in order");

  const Child crashing(arguments[1]);
  check(!crashing.run("crash", {7, 10}, packet), "a crash is an end of file: UNKNOWN");
  check(WIFSIGNALED(crashing.end()), "the child died of it, and the parent did not");

  const Child killed(arguments[1]);
  kill(killed.pid, SIGKILL);
  check(!killed.run("inline", {7, 11}, packet), "a killed child is UNKNOWN");
  killed.end();
  std::puts("commands and outcomes cross a process boundary with the headers as they are");
}
