#pragma once
// What the host keeps for one payment between our commands: the state blob, version 1. Pure.
#include <orderd/outcome.hpp>

#include <cstdint>
#include <string>

namespace stripe {

struct StateBlob {
  static constexpr std::uint32_t version = 1;

  std::string intent;   // of Stripe; "": not known
  std::string missing;  // what was looked for and not found
  std::int64_t missing_since_ms = 0;

  orderd::sdk::State state() const;
};

/// Empty for a blob that is none of ours.
StateBlob read_state(const orderd::sdk::State& state);

}  // namespace stripe
