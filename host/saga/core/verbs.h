#pragma once
// What a person decides about a saga that waits. It stands: the provider's totals are compared with it later,
// and a difference moves no money.
#include "saga/core/notices.h"

namespace orderd::saga {

class Verbs : public Notices {
 protected:
  using Notices::Notices;
  using Notices::on;
  void on(const Verb& verb);
  bool begin_again();
  void finish_by_hand(const Verb& verb);
  void skip();
  void decided();
};

}  // namespace orderd::saga
