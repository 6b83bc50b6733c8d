#include "base/queue.h"

#include <catch2/catch.hpp>
#include <string>

using namespace orderd;
using std::chrono::milliseconds;

TEST_CASE("what is pushed at once is one batch to the reader") {
  BoundedQueue<std::string> queue(10);
  std::vector<std::string> items{"one", "two", "three"};
  CHECK(queue.push_all(items) == 3);
  CHECK(queue.take(10, milliseconds(0)) == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("of what is pushed at once a full queue takes the first and leaves the rest untouched") {
  BoundedQueue<std::string> queue(3);
  std::string before = "before";
  CHECK(queue.push(before));
  std::vector<std::string> items{"one", "two", "three"};
  CHECK(queue.push_all(items) == 2);
  CHECK(items[2] == "three");
  CHECK(queue.push_all(items) == 0);
  CHECK(queue.take(10, milliseconds(0)) == std::vector<std::string>{"before", "one", "two"});
}

TEST_CASE("a closed queue takes nothing and gives what it has") {
  BoundedQueue<std::string> queue(3);
  std::vector<std::string> items{"one"};
  CHECK(queue.push_all(items) == 1);
  queue.close();
  std::vector<std::string> late{"late"};
  CHECK(queue.push_all(late) == 0);
  CHECK_FALSE(queue.push(late[0]));
  CHECK(late[0] == "late");
  CHECK_FALSE(queue.closed());
  CHECK(queue.take(10, milliseconds(1000)) == std::vector<std::string>{"one"});
  CHECK(queue.closed());
}
