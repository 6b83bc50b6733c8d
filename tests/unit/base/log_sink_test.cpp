#include "base/log_sink.h"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

using namespace orderd;

namespace {

struct Ends {
  int from = -1, to = -1;
  ~Ends() {
    close(from);
    close(to);
  }
};

/// Reads until nothing comes for a moment, or the text is there.
std::string read_until(int from, const std::string& text) {
  std::string out;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  fcntl(from, F_SETFL, O_NONBLOCK);
  while (out.find(text) == out.npos && std::chrono::steady_clock::now() < end) {
    std::array<char, 65536> bytes;
    const ssize_t got = read(from, bytes.data(), bytes.size());
    if (got > 0)
      out.append(bytes.data(), static_cast<std::size_t>(got));
    else
      std::this_thread::yield();
  }
  return out;
}

void judge(Ends& ends) {
  LogSink sink(ends.to);
  const std::string line(999, 'x');
  constexpr int lines = 5000;
  for (int i = 0; i < lines; ++i) sink.put(std::to_string(i) + " " + line + "\n");
  sink.flush(1);
  const std::string read = read_until(ends.from, "nobody read them\n");
  CHECK(read.rfind("0 xxx", 0) == 0);
  CHECK(read.find(" lines of the log were dropped here") != read.npos);
  std::size_t whole = 0;
  for (std::size_t at = 0, end; (end = read.find('\n', at)) != read.npos; at = end + 1, ++whole)
    if (read.compare(at, 6, "orderd") != 0) REQUIRE(read.compare(end - line.size(), line.size(), line) == 0);
  CHECK(whole > 1000);
  CHECK(whole < lines);
  sink.put("and on\n");
  CHECK(read_until(ends.from, "and on\n") == "and on\n");
}

}  // namespace

TEST_CASE("who does not read the log's pipe stops nobody, and is told how much was dropped") {
  Ends ends;
  int both[2];
  REQUIRE(pipe(both) == 0);
  ends.from = both[0];
  ends.to = both[1];
  judge(ends);
  CHECK((fcntl(ends.to, F_GETFL) & O_NONBLOCK) == 0);  // others may have it, too
}

TEST_CASE("nor does who does not read the log's socket") {
  Ends ends;
  int both[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0);
  ends.from = both[0];
  ends.to = both[1];
  judge(ends);
}
