#include "ledger.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace bank {
namespace {

constexpr std::array<const char*, 6> names{"done", "declined", "failed", "pending", "never", "reversed"};

constexpr std::int64_t told_again_ms = 30'000;
constexpr std::string_view told_begins = R"({"told":")", event_begins = R"("event":")";

/// Of a line `{"at":1234,…`.
std::int64_t at_of(const std::string& line) { return std::strtoll(line.c_str() + 6, nullptr, 10); }

std::string text(const rapidjson::Value& from, const char* name) {
  const auto found = from.FindMember(name);
  return found != from.MemberEnd() && found->value.IsString() ? found->value.GetString() : "";
}

std::int64_t number(const rapidjson::Value& from, const char* name) {
  const auto found = from.FindMember(name);
  return found != from.MemberEnd() && found->value.IsInt64() ? found->value.GetInt64() : 0;
}

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void member(Writer& writer, const char* name, std::string_view value) {
  writer.Key(name);
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

}  // namespace

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Ledger::Ledger(const std::string& path) {
  std::int64_t sound_bytes = 0;
  {
    std::ifstream in(path, std::ios::binary);
    for (std::string line; std::getline(in, line) && !in.eof();) {
      take(line);
      sound_bytes += static_cast<std::int64_t>(line.size()) + 1;
    }
  }
  for (const auto& [id, line] : std::exchange(event_lines_, {})) {
    rapidjson::Document row;
    row.Parse(line.c_str());
    untold_.push_back({id, text(row, "body")});
  }
  file_ = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0 || ::ftruncate(file_, sound_bytes) != 0)
    throw std::runtime_error(path + " cannot be written");
}

Ledger::~Ledger() { ::close(file_); }

/// Millions of lines after a long campaign: only calls are parsed, the others are told by how they begin.
void Ledger::take(const std::string& line) {
  if (line.rfind(R"({"fault":)", 0) == 0) return;
  if (line.rfind(told_begins, 0) == 0) {
    // The latest are told again: it may not have been known that they were taken.
    const auto found =
        event_lines_.find(line.substr(told_begins.size(), line.rfind('"') - told_begins.size()));
    if (found != event_lines_.end() && at_of(found->second) < now_ms() - told_again_ms)
      event_lines_.erase(found);
    return;
  }
  const std::size_t member = line.find(',') + 1;
  if (line.compare(member, event_begins.size(), event_begins) == 0) {
    const std::size_t id = member + event_begins.size();
    event_lines_[line.substr(id, line.find('"', id) - id)] = line;
    ++events_;
    return;
  }
  rapidjson::Document row;
  row.Parse(line.c_str());
  if (!row.IsObject()) throw std::runtime_error("a damaged line in the ledger: " + line);
  const std::string name = text(row, "state");
  Call call{text(row, "key"),  text(row, "payment"),  text(row, "kind"),
            State::done,       number(row, "amount"), text(row, "currency"),
            text(row, "code"), number(row, "at"),     text(row, "build")};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) call.state = static_cast<State>(i);
  if (const std::string token = text(row, "token"); !token.empty()) payments_[call.payment].token = token;
  apply(call);
}

void Ledger::apply(const Call& call) {
  Payment& payment = payments_[call.payment];
  if (!call.currency.empty()) payment.currency = call.currency;
  payment.changed_ms = call.at_ms;
  std::erase(payment.pending, call.key);
  if (call.state == State::pending && call.kind != "refund") payment.pending.push_back(call.key);
  const std::int64_t sign = call.state == State::done ? 1 : call.state == State::reversed ? -1 : 0;
  if (call.kind == "authorize") payment.authorized += sign * call.amount;
  if (call.kind == "capture") payment.captured += sign * call.amount;
  if (call.kind == "capture" && call.state == State::done) payment.capture_key = call.key;
  if (call.kind == "refund") payment.refunded += sign * call.amount;
  if (call.kind == "void") payment.voided += sign * call.amount;
  calls_[call.key] = call;
}

const Call& Ledger::enter(Call call, std::string_view token) {
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  writer.Key("at");
  writer.Int64(call.at_ms);
  member(writer, "payment", call.payment);
  member(writer, "key", call.key);
  member(writer, "kind", call.kind);
  member(writer, "state", names[static_cast<std::size_t>(call.state)]);
  writer.Key("amount");
  writer.Int64(call.amount);
  member(writer, "currency", call.currency);
  if (!call.code.empty()) member(writer, "code", call.code);
  if (!token.empty()) member(writer, "token", token);
  if (!call.build.empty()) member(writer, "build", call.build);
  writer.EndObject();
  unwritten_.append(out.GetString(), out.GetSize()).push_back('\n');
  if (!token.empty()) payments_[call.payment].token = token;
  apply(call);
  return calls_[call.key];
}

void Ledger::note(std::string_view fault, std::string_view key) {
  unwritten_.append(R"({"fault":")").append(fault).append(R"(","key":")").append(key).append("\"}\n");
}

void Ledger::event(const Event& event) {
  rapidjson::StringBuffer out;
  Writer writer(out);
  writer.StartObject();
  writer.Key("at");
  writer.Int64(now_ms());
  member(writer, "event", event.id);
  member(writer, "body", event.body);
  writer.EndObject();
  unwritten_.append(out.GetString(), out.GetSize()).push_back('\n');
}

void Ledger::told(std::string_view id) { unwritten_.append(R"({"told":")").append(id).append("\"}\n"); }

void Ledger::sync() {
  if (unwritten_.empty()) return;
  for (std::size_t at = 0; at < unwritten_.size();) {
    const ssize_t count = ::write(file_, unwritten_.data() + at, unwritten_.size() - at);
    if (count < 0) throw std::runtime_error("the ledger cannot be written");
    at += static_cast<std::size_t>(count);
  }
  if (::fdatasync(file_) != 0) throw std::runtime_error("the ledger cannot be synced");
  unwritten_.clear();
}

const Call* Ledger::find(const std::string& key) const {
  const auto found = calls_.find(key);
  return found == calls_.end() ? nullptr : &found->second;
}

std::vector<Call> Ledger::pending() const {
  std::vector<Call> out;
  for (const auto& [key, call] : calls_)
    if (call.state == State::pending) out.push_back(call);
  return out;
}

}  // namespace bank
