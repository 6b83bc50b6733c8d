// The plugin on a host of cardboard: no database, no network, no shared library.
#include <orderd/payment.h>
#include <orderd/testing.hpp>

#include <cstdio>
#include <cstdlib>

using namespace orderd::testing;

namespace {

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::exit(1);
}

}  // namespace

int main() {
  FakeHost host;
  Plugin plugin(host, orderd_plugin_entry_v1());
  plugin.begin();

  const CommandSpec authorize = command("payment.authorize");
  expect(plugin.run(authorize).kind == ORDERD_DONE, "a payment is authorized");
  const auto again = plugin.run(authorize);
  expect(again.totals && again.totals->authorized == authorize.amount, "the same key has its effect once");
  expect(plugin.run(query_of(authorize)).query_answer == ORDERD_FOUND, "a query finds what was done");
  expect(host.violations().empty(), "no rule of the headers is broken");
  std::puts("my_payment: all well");
}
