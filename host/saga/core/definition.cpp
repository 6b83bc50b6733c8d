#include "saga/core/definition.h"

#include <fstream>
#include <set>
#include <sstream>

#include "base/sha256.h"
#include "model/json.h"

namespace orderd::saga {
namespace {

constexpr std::size_t depth_max = 8;
constexpr std::size_t steps_max = 32;

class Reader {
 public:
  Reader(const json::Value& object, std::string source, std::string at)
      : object_(object), source_(std::move(source)), at_(std::move(at)) {
    if (!object_.IsObject()) fail("", "must be an object");
  }
  std::string text(const char* key, bool required) {
    known_.insert(key);
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd()) {
      if (required) fail(key, "is missing");
      return {};
    }
    if (!found->value.IsString() || found->value.GetStringLength() == 0) fail(key, "must be a text");
    return found->value.GetString();
  }
  bool flag(const char* key) {
    known_.insert(key);
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd()) return false;
    if (!found->value.IsBool()) fail(key, "must be true or false");
    return found->value.GetBool();
  }
  Millis millis(const char* key, Millis fallback, std::int64_t least, std::int64_t most) {
    known_.insert(key);
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd()) return fallback;
    if (!found->value.IsInt64() || found->value.GetInt64() < least || found->value.GetInt64() > most)
      fail(key, "must be milliseconds from " + std::to_string(least) + " to " + std::to_string(most));
    return Millis(found->value.GetInt64());
  }
  const json::Value* object(const char* key) {
    known_.insert(key);
    return json::child(object_, key);
  }
  void no_others() const {
    for (const auto& member : object_.GetObject())
      if (!known_.contains(member.name.GetString())) fail(member.name.GetString(), "is not a known key");
  }
  [[noreturn]] void fail(const std::string& key, const std::string& what) const {
    throw DefinitionError("saga file " + source_ + ": " + at_ + (key.empty() || at_.empty() ? "" : ".") +
                          key + " " + what);
  }

 private:
  const json::Value& object_;
  const std::string source_, at_;
  std::set<std::string> known_;
};

StepDefinition read_step(const json::Value& value, const std::string& source, std::size_t index) {
  Reader reader(value, source, "steps[" + std::to_string(index) + "]");
  StepDefinition step;
  step.name = reader.text("name", true);
  step.slot = reader.text("slot", true);
  step.action = reader.text("action", true);
  step.compensation = reader.text("undo", false);
  if (const auto status = reader.text("status", false); !status.empty()) {
    step.status = parse_status(status);
    if (!step.status || *step.status == Status::pending || *step.status == Status::cancelling ||
        is_terminal(*step.status))
      reader.fail("status", "must be PAYMENT_AUTHORIZED, INVENTORY_RESERVED or CONFIRMED, not " + status);
  }
  step.event = reader.flag("event");
  step.pivot = reader.flag("pivot");
  step.timeout = reader.millis("timeout_ms", step.timeout, 1, 600'000);
  if (const auto* retry = reader.object("retry")) {
    Reader policy(*retry, source, "steps[" + std::to_string(index) + "].retry");
    step.retry.first = policy.millis("first_ms", step.retry.first, 1, 3'600'000);
    step.retry.cap = policy.millis("cap_ms", step.retry.cap, 1, 3'600'000);
    step.retry.total = policy.millis("total_ms", step.retry.total, 1, 30LL * 86'400'000);
    policy.no_others();
  }
  reader.no_others();
  return step;
}

}  // namespace

Definition parse_definition(const std::string& text, const std::string& source) {
  json::Document document;
  json::Problem problem;
  if (!json::parse_strict(text, depth_max, document, problem))
    throw DefinitionError("saga file " + source + ": " + problem.pointer + " " + problem.message);
  Reader reader(document, source, "");
  Definition definition;
  definition.name = reader.text("name", true);
  const auto* steps = reader.object("steps");
  if (!steps || !steps->IsArray() || steps->Empty() || steps->Size() > steps_max)
    reader.fail("steps", "must be a list of 1 to " + std::to_string(steps_max) + " steps");
  definition.total = reader.millis("total_ms", Millis(0), 1, 400LL * 86'400'000);
  reader.text("description", false);
  reader.no_others();
  std::set<std::string> names;
  int pivots = 0;
  for (const auto& value : steps->GetArray()) {
    definition.steps.push_back(read_step(value, source, definition.steps.size()));
    const StepDefinition& step = definition.steps.back();
    if (!names.insert(step.name).second) reader.fail("steps", "has two steps named " + step.name);
    pivots += step.pivot;
  }
  if (pivots > 1) reader.fail("steps", "has more than one pivot");
  if (definition.steps.back().status != Status::confirmed)
    reader.fail("steps", "must end with a step that sets CONFIRMED");
  definition.text = text;
  definition.digest = sha256_hex(text);
  return definition;
}

Definition load_definition(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw DefinitionError("saga file " + path + " cannot be read");
  std::stringstream text;
  text << file.rdbuf();
  return parse_definition(text.str(), path);
}

}  // namespace orderd::saga
