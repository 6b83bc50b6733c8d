#include <catch2/catch.hpp>

#include "harness.h"

namespace orderd::plugins {
namespace {

#ifdef __x86_64__
TEST_CASE("libraries of older and newer minors of this ABI, kept as they were built, load and serve") {
  for (const char* library : {"before_1_0.so", "first_1_0.so", "newer_minor.so"}) {
    Options options = test_options();
    options.directory = ABI_OLD;
    Running host(plugin(library, {{"anything", "goes"}}), options);
    const Command one = command("any");
    const Outcome outcome = host.run(one).outcome;
    CHECK(outcome.kind == OutcomeKind::done);
    CHECK(outcome.code == one.key);
  }
}
#endif

}  // namespace
}  // namespace orderd::plugins
