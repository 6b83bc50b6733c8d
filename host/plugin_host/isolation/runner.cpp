#include "plugin_host/isolation/runner.h"

#include <unistd.h>

#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "base/queue.h"
#include "plugin_host/isolation/channel.h"
#include "plugin_host/isolation/process_metrics.h"
#include "plugin_host/loading/loaded_build.h"
#include "plugin_ports/error.h"

namespace orderd::plugins::isolation {
namespace {

constexpr std::size_t completions_max = 100'000, batch_max = 256;
constexpr std::size_t webhooks_max = 1000;
/// One more outcome than this holds still fits into a frame.
constexpr std::size_t outcomes_bytes_max = std::size_t{4} << 20;
constexpr Millis idle_wait{200};

class Runner {
 public:
  explicit Runner(int descriptor) : channel_(descriptor, frame_bytes_max) {}

  int serve() {
    const auto first = channel_.receive();
    if (!first || first->kind != Frame::begin) return 1;
    if (!begin(In(first->fields))) return 1;
    while (const auto received = channel_.receive()) {
      if (received->kind == Frame::stop) return stop();
      take(*received);
    }
    _exit(0);  // the host is gone: what the plugin is at is of no use to anybody
  }

 private:
  struct Webhook {
    std::uint32_t number = 0;
    WebhookRequest request;
  };

  bool begin(In in) {
    const Begin wanted = read<Begin>(in);
    set_log_level(parse_log_level(wanted.log_level));
    set_log_format(wanted.log_format);
    Hello hello;
    try {
      InstanceConfig config{wanted.instance, wanted.library, wanted.settings, wanted.extensions,
                            wanted.secrets};
      config.threads = wanted.threads;
      config.older = wanted.older;
      Options options;
      options.host_version = wanted.host_version;
      // The host has judged the file, and these are its bytes.
      const LibraryFile file{config.library, wanted.digest,
                             std::make_shared<const Descriptor>(library_number)};
      build_ = std::make_unique<LoadedBuild>(config, map_library(config.name, file), options);
      describe(hello);
    } catch (const PluginError& error) {
      hello = {};
      hello.problem = error.what();
    }
    Out out;
    write(out, hello);
    return channel_.send(out.frame(Frame::hello)) && hello.problem.empty();
  }

  void describe(Hello& hello) {
    const BuildInfo info = build_->info();
    hello.plugin = info.plugin;
    hello.version = info.version;
    hello.vendor = info.vendor;
    hello.extensions = info.extensions;
    std::tie(hello.state_min, hello.state_max) = build_->state_versions();
    hello.takes_webhooks = build_->webhook() != nullptr;
    hello.has_migrations = !build_->migrations().empty();
    const StepPort* step = build_->step();
    hello.is_step = step != nullptr;
    if (!step) return;
    hello.transactional = step->transactional();
    hello.can_query = step->can_query();
    hello.window_ms = step->idempotency_window().count();
  }

  void take(const Received& received) {
    In in(received.fields);
    switch (received.kind) {
      case Frame::start:
        return start();
      case Frame::ping:
        return pong();
      case Frame::supports: {
        const std::string action = in.text();
        return (void)channel_.send(
            Out().text(action).u8(build_->step()->supports(action)).frame(Frame::supports_answer));
      }
      case Frame::execute: {
        std::vector<Command> commands;
        for (std::size_t left = in.count(64); left > 0; --left) commands.push_back(read_command(in));
        if (!in.at_end()) _exit(1);
        open_ += commands.size();
        return build_->step()->execute(std::move(commands));
      }
      case Frame::webhook: {
        Webhook one{in.u32(), read<WebhookRequest>(in)};
        const std::uint32_t number = one.number;
        if (!in.at_end()) _exit(1);
        if (!webhooks_.push(one)) answer(number, {});
        return;
      }
      default:
        _exit(1);
    }
  }

  /// With the plugin's metrics: in this process nobody would see them.
  void pong() {
    if (build_->hangs()) {
      log_error("plugin", "all threads of an isolated plugin hang in execute(); its process ends");
      _exit(1);
    }
    (void)channel_.send(plugin_metrics_now().frame(Frame::pong));
  }

  void start() {
    std::string problem;
    try {
      build_->start([this](Completion completion) { completed(completion); });
    } catch (const PluginError& error) { problem = error.what(); }
    (void)channel_.send(Out().text(problem).frame(Frame::started));
    if (!problem.empty()) return;
    sender_ = std::thread([this] { send_outcomes(); });
    if (build_->webhook()) receiver_ = std::thread([this] { handle_webhooks(); });
  }

  /// The last one that is open goes out by the plugin's thread itself, others as a batch by the sender's.
  void completed(Completion& completion) {
    if (--open_ == 0 && completions_.size() == 0) return (void)send({std::move(completion)});
    while (!completions_.push(completion)) std::this_thread::yield();
  }
  void send_outcomes() {
    while (!completions_.closed())
      if (const auto batch = completions_.take(batch_max, idle_wait); !batch.empty() && !send(batch)) return;
  }
  bool send(const std::vector<Completion>& batch) {
    for (auto one = batch.begin(); one != batch.end();) {
      std::string answers;
      std::uint32_t count = 0;
      for (; one != batch.end() && answers.size() < outcomes_bytes_max; ++one, ++count) {
        Out out;
        write(out, Answered{one->key, one->order_id, one->outcome});
        answers += out.bytes();
      }
      if (!channel_.send(Out().u32(count).bytes(answers).frame(Frame::outcomes))) return false;
    }
    return true;
  }

  void handle_webhooks() {
    while (!webhooks_.closed())
      for (const Webhook& one : webhooks_.take(1, idle_wait))
        answer(one.number, build_->webhook()->handle(one.request));
  }
  void answer(std::uint32_t number, const WebhookResult& result) {
    Out out;
    out.u32(number);
    write(out, result);
    if (out.bytes().size() >= plugin_frame_bytes_max) {
      log_error("plugin", "the events of a webhook are too much for one answer; the provider comes again");
      return answer(number, {});
    }
    (void)channel_.send(out.frame(Frame::webhook_answer));
  }

  int stop() {
    webhooks_.close();
    if (receiver_.joinable()) receiver_.join();
    const bool stopped = build_->stop();
    completions_.close();
    if (sender_.joinable()) sender_.join();
    if (!stopped) _exit(1);  // a thread is held inside the plugin
    build_.reset();
    return 0;
  }

  Channel channel_;
  std::unique_ptr<LoadedBuild> build_;
  std::atomic<std::size_t> open_{0};  // commands that the step has not answered
  BoundedQueue<Completion> completions_{completions_max};
  BoundedQueue<Webhook> webhooks_{webhooks_max};
  std::thread sender_, receiver_;
};

}  // namespace

int serve(int descriptor) { return Runner(descriptor).serve(); }

}  // namespace orderd::plugins::isolation
