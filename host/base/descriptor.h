#pragma once
#include <unistd.h>

namespace orderd {

/// An open file, closed at the end of its owner. [one thread at a time]
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { close_now(); }
  Descriptor(const Descriptor&) = delete;
  /// Below 0: it is not open.
  int number() const { return number_; }
  void close_now() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  /// The file stays open for good.
  void keep_open() { number_ = -1; }

 private:
  int number_;
};

}  // namespace orderd
