#include "service.h"

#include <orderd/inventory.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace inventory_http {
namespace {

using orderd::sdk::Command;
using orderd::sdk::Outcome;

constexpr std::size_t subject_bytes_max = 255;
constexpr std::size_t sku_bytes_max = 255;
constexpr std::size_t message_bytes_max = 300;
constexpr std::int64_t busy_wait_ms = 1'000;
constexpr std::int64_t operator_wait_ms = 30'000;
constexpr const char* refused_token = "STOCK_TOKEN_REFUSED";
constexpr const char* wrong_address = "STOCK_SERVICE_NOT_THERE";

enum class State { reserved, committed, released, expired };

/// What the service knows of a reservation.
struct Reservation {
  State state = State::reserved;
  std::int64_t expires_ms = 0;  // 0: never
};

struct Problem {
  std::string code, message;
};

bool parse(std::string_view body, rapidjson::Document& out) {
  out.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(body.data(), body.size());
  return !out.HasParseError() && out.IsObject();
}

std::string text(const rapidjson::Value& object, const char* name) {
  const auto found = object.FindMember(name);
  if (found == object.MemberEnd() || !found->value.IsString()) return "";
  return {found->value.GetString(), found->value.GetStringLength()};
}

/// nullopt if the body is no reservation.
std::optional<Reservation> read_reservation(std::string_view body) {
  static constexpr std::array<std::pair<std::string_view, State>, 4> names{{{"RESERVED", State::reserved},
                                                                            {"COMMITTED", State::committed},
                                                                            {"RELEASED", State::released},
                                                                            {"EXPIRED", State::expired}}};
  rapidjson::Document document;
  if (!parse(body, document)) return std::nullopt;
  const std::string state = text(document, "state");
  const auto name =
      std::find_if(names.begin(), names.end(), [&](const auto& one) { return one.first == state; });
  if (name == names.end()) return std::nullopt;
  Reservation out;
  out.state = name->second;
  const auto expires = document.FindMember("expiresMs");
  if (expires != document.MemberEnd() && expires->value.IsInt64())
    out.expires_ms = std::max<std::int64_t>(expires->value.GetInt64(), 0);
  return out;
}

/// Cut between two characters.
std::string cut(std::string message) {
  std::size_t size = std::min(message.size(), message_bytes_max);
  while (size < message.size() && size > 0 && (static_cast<unsigned char>(message[size]) & 0xc0) == 0x80)
    --size;
  return message.substr(0, size);
}

Problem read_problem(std::string_view body) {
  rapidjson::Document document;
  if (!parse(body, document)) return {};
  Problem out{text(document, "code"), cut(text(document, "message"))};
  const bool sound = out.code.size() <= 64 && std::all_of(out.code.begin(), out.code.end(), [](char c) {
                       return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
                     });
  if (!sound) out.code.clear();
  return out;
}

std::string percent(std::string_view segment) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') || c == '-' || c == '_';
    plain ? out += c : (out += '%').append({hex[byte >> 4], hex[byte & 15]});
  }
  return out;
}

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void put(Writer& writer, std::string_view value) {
  writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
}

std::string reserve_body(const Command& command) {
  std::map<std::string_view, std::int64_t> wanted;  // lines of one SKU are summed
  for (const auto& line : command.lines) wanted[line.sku] += line.quantity;
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("reservation");
  put(writer, command.subject);
  writer.Key("lines");
  writer.StartArray();
  for (const auto& [sku, quantity] : wanted) {
    writer.StartObject();
    writer.Key("sku");
    put(writer, sku);
    writer.Key("quantity");
    writer.Int64(quantity);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

std::string availability_body(const Command& command) {
  std::set<std::string_view> skus;
  for (const auto& line : command.lines) skus.insert(line.sku);
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("skus");
  writer.StartArray();
  for (const auto sku : skus) put(writer, sku);
  writer.EndArray();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

Outcome strange(const Answer& answer) {
  return Outcome::unknown("STOCK_ANSWER_UNREADABLE", "the stock service's answer with " +
                                                         std::to_string(answer.status) + " makes no sense");
}

/// Whether the action is done in this state; else DECLINED.
Outcome judged(std::string_view action, const Reservation& now) {
  const bool gone = now.state == State::released || now.state == State::expired;
  if (action == ORDERD_INVENTORY_RELEASE)
    return now.state == State::reserved || now.state == State::committed
               ? Outcome::unknown("STILL_RESERVED", "the stock service did not release")
               : Outcome::done();
  if (action == ORDERD_INVENTORY_COMMIT && now.state == State::reserved)
    return Outcome::unknown("NOT_COMMITTED", "the stock service did not commit");
  if (gone)
    return action == ORDERD_INVENTORY_RESERVE
               ? Outcome::declined(ORDERD_CODE_RESERVATION_CLOSED, "the reservation was released before")
               : Outcome::declined(ORDERD_CODE_RESERVATION_EXPIRED, "the goods are not reserved any more");
  Outcome done = Outcome::done();
  if (now.state == State::reserved) done.expires_ms = now.expires_ms;
  return done;
}

Outcome available(const Answer& answer) {
  rapidjson::Document document;
  if (!parse(answer.body, document)) return strange(answer);
  const auto found = document.FindMember("available");
  if (found == document.MemberEnd() || !found->value.IsObject()) return strange(answer);
  for (const auto& one : found->value.GetObject())
    if (!one.value.IsInt64()) return strange(answer);
  Outcome out = Outcome::done();
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  writer.StartObject();
  writer.Key("available");
  found->value.Accept(writer);
  writer.EndObject();
  out.details_json.assign(buffer.GetString(), buffer.GetSize());
  return out;
}

/// What became of a key. The service is consistent, and every action is idempotent by its reservation: what
/// is not there has not happened, and what may still arrive does no harm.
Outcome fate(const Command& command, const Answer& answer) {
  const std::string_view action = command.query_action;
  if (answer.status == 404) return Outcome::not_found();
  const auto now = read_reservation(answer.body);
  if (!now) return strange(answer);
  const bool open = now->state == State::reserved || now->state == State::committed;
  if (action == ORDERD_INVENTORY_RELEASE && open) return Outcome::not_found();
  if (action == ORDERD_INVENTORY_COMMIT && now->state == State::reserved) return Outcome::not_found();
  if (action == ORDERD_INVENTORY_EXTEND && now->state == State::reserved && now->expires_ms > 0)
    return Outcome::not_found();
  return Outcome::found(judged(action, *now));
}

Outcome refused(const Answer& answer) {
  const Problem problem = read_problem(answer.body);
  const std::string status = "the stock service answered " + std::to_string(answer.status);
  const std::string message = problem.message.empty() ? status : problem.message;
  if (answer.status == 401 || answer.status == 403)
    return Outcome::retry(operator_wait_ms, refused_token, status + ": correct the setting \"token\"");
  if (answer.status == 429 || answer.status == 503) {
    // 503 with Retry-After is the contract's "not now, and nothing was done".
    if (answer.status == 429 || answer.retry_after_ms > 0)
      return Outcome::retry(std::max(answer.retry_after_ms, busy_wait_ms), "STOCK_SERVICE_BUSY", status);
    return Outcome::unknown("STOCK_SERVICE_FAILED", status);
  }
  // Only the service's own 404 has a code; any other comes from something else at this address.
  if (answer.status == 404 && problem.code == "UNKNOWN_RESERVATION")
    return Outcome::declined(ORDERD_CODE_RESERVATION_EXPIRED, message);
  if (answer.status == 404 || answer.status == 405)
    return Outcome::retry(operator_wait_ms, wrong_address, status + ": correct the setting \"url\"");
  if (answer.status == 409 && !problem.code.empty()) return Outcome::declined(problem.code, message);
  if (answer.status == 400 || answer.status == 422)
    return Outcome::declined(problem.code.empty() ? "STOCK_REQUEST_REFUSED" : problem.code, message);
  return Outcome::unknown("STOCK_SERVICE_FAILED", status);
}

}  // namespace

std::string problem_of(const Command& command) {
  if (command.subject.empty() || command.subject.size() > subject_bytes_max)
    return "the reservation's id is empty or longer than 255 bytes";
  const bool has_lines =
      command.action == ORDERD_INVENTORY_RESERVE || command.action == ORDERD_INVENTORY_AVAILABILITY;
  if (!has_lines) return "";
  if (command.lines.empty()) return "there are no lines";
  for (const auto& line : command.lines)
    if (line.sku.empty() || line.sku.size() > sku_bytes_max || line.quantity <= 0)
      return "a line has no SKU, one longer than 255 bytes, or no quantity";
  return "";
}

Request request_of(const Command& command) {
  const std::string one = "/reservations/" + percent(command.subject);
  if (command.action == ORDERD_INVENTORY_RESERVE) return {"POST", "/reservations", reserve_body(command)};
  if (command.action == ORDERD_INVENTORY_EXTEND) return {"POST", one + "/extend", "{}"};
  if (command.action == ORDERD_INVENTORY_COMMIT) return {"POST", one + "/commit", "{}"};
  if (command.action == ORDERD_INVENTORY_RELEASE) return {"POST", one + "/release", "{}"};
  if (command.action == ORDERD_INVENTORY_AVAILABILITY)
    return {"POST", "/availability", availability_body(command)};
  return {"GET", one};
}

Outcome outcome_of(const Command& command, const Answer& answer) {
  const bool good = answer.status / 100 == 2;
  if (command.action == ORDERD_INVENTORY_QUERY) {
    if (good || (answer.status == 404 && read_problem(answer.body).code == "UNKNOWN_RESERVATION"))
      return fate(command, answer);
    Outcome failed = refused(answer);  // says nothing about the key
    return is_operators(failed) ? failed : Outcome::unknown(failed.code, failed.message);
  }
  if (!good) return refused(answer);
  if (command.action == ORDERD_INVENTORY_AVAILABILITY) return available(answer);
  const auto now = read_reservation(answer.body);
  return now ? judged(command.action, *now) : strange(answer);
}

bool is_operators(const Outcome& outcome) {
  return outcome.code == refused_token || outcome.code == wrong_address;
}

}  // namespace inventory_http
