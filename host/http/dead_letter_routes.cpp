// GET /api/admin/dead-letters, …/{id}, and POST …/{id}/replay, …/replay: what no consumer could take.
#include <charconv>

#include "admin/dead_letters.h"
#include "http/operator.h"
#include "http/routes.h"

namespace orderd::http {
namespace {

constexpr std::int64_t limit_max = 100, limit_default = 20;
constexpr char cursor_kind = 'd';

std::int64_t number_or_zero(std::string_view text) {
  std::int64_t id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && id > 0 ? id : 0;
}

Answer list(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  Query query(call.request.query(), {"limit", "cursor", "consumer", "orderId"});
  const auto limit = static_cast<int>(query.integer("limit", {1, limit_max, limit_default}));
  admin::LetterFilter filter{query.text("consumer"), {}, 0};
  if (const auto id = query.text("orderId")) {
    filter.order_id = Uuid::parse(*id);
    if (!filter.order_id) query.error("orderId", "is no order's id");
  }
  if (const auto cursor = query.text("cursor")) {
    filter.after = number_or_zero(read_cursor(cursor_kind, *cursor).value_or(""));
    if (filter.after == 0)
      query.error("cursor", "is not a cursor of this list; take nextCursor as it was given");
  }
  if (!query.errors().empty()) return Problem{Error::invalid_parameter, {}, query.errors(), {}};
  auto connection = parts.pool.acquire();
  const auto letters = admin::letters(*connection, filter, limit);
  const std::size_t shown = std::min(letters.size(), static_cast<std::size_t>(limit));
  std::string body = "{\"data\":[";
  for (std::size_t i = 0; i < shown; ++i)
    body.append(i > 0 ? "," : "").append(admin::letter_json(letters[i], false));
  body += "],\"nextCursor\":";
  body += letters.size() > shown ? '"' + make_cursor(cursor_kind, std::to_string(letters[shown - 1].id)) + '"'
                                 : "null";
  return json_reply(200, body + "}");
}

Answer one(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_read)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  auto connection = parts.pool.acquire();
  const auto letter = admin::letter(*connection, number_or_zero(call.params.at(0)));
  if (!letter) return Problem{Error::dead_letter_not_found, {}, {}, {}};
  return json_reply(200, admin::letter_json(*letter, true));
}

std::string replayed_json(const admin::Replayed& replayed) {
  std::string accepted = "[", refused = "[", out;
  for (const std::int64_t id : replayed.accepted)
    accepted.append(accepted.size() > 1 ? "," : "").append(std::to_string(id));
  for (const auto& [id, problem] : replayed.refused) {
    if (refused.size() > 1) refused.push_back(',');
    json::Object object(refused);
    object.add("id", id).add("problem", problem).end();
  }
  json::Object object(out);
  object.raw("accepted", accepted + "]").raw("refused", refused + "]");
  object.add("until", to_rfc3339(replayed.until)).add("more", replayed.more).end();
  return out;
}

Answer replay_one(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_act)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  intake::Checker check;
  const auto read = read_body_of(call, check, {"reason"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  admin::ReplayWish wish;
  wish.reason = check.text(std::get<json::Document>(read), "", "reason", intake::Checker::Presence::required);
  if (!check.errors().empty()) return problem_of(check);
  wish.ids = {number_or_zero(call.params.at(0))};
  wish.actor = actor_of(call);
  wish.actor_data = actor_data(call);
  auto connection = parts.pool.acquire();
  if (!admin::letter(*connection, wish.ids.front())) return Problem{Error::dead_letter_not_found, {}, {}, {}};
  const auto replayed = admin::replay(*connection, wish);
  if (!replayed.refused.empty())
    return Problem{
        Error::verb_refused, "It cannot be replayed: " + replayed.refused.front().second + ".", {}, {}};
  return json_reply(202, replayed_json(replayed));
}

Answer replay_many(const ApiParts& parts, Call& call) {
  if (auto problem = authorize(call, Scope::ops_act)) return std::move(*problem);
  if (auto problem = refuse_other_than_json(call)) return std::move(*problem);
  using Presence = intake::Checker::Presence;
  intake::Checker check;
  const auto read = read_body_of(call, check, {"reason", "ids", "consumer", "ratePerSecond"});
  if (const auto* problem = std::get_if<Problem>(&read)) return *problem;
  const auto& body = std::get<json::Document>(read);
  admin::ReplayWish wish;
  wish.reason = check.text(body, "", "reason", Presence::required);
  if (body.HasMember("consumer")) wish.consumer = check.text(body, "", "consumer", Presence::optional);
  if (body.HasMember("ids") == body.HasMember("consumer"))
    check.error("", "either ids or consumer is needed");
  if (body.HasMember("ids")) {
    const json::Value& ids = body["ids"];
    if (!ids.IsArray() || ids.Empty() || ids.Size() > admin::letters_per_replay_max)
      check.error("/ids", "must be a list of 1 to " + std::to_string(admin::letters_per_replay_max) + " ids");
    else
      for (const auto& id : ids.GetArray())
        id.IsInt64() && id.GetInt64() > 0 ? wish.ids.push_back(id.GetInt64())
                                          : check.error("/ids", "must be whole numbers above 0");
  }
  if (body.HasMember("ratePerSecond"))
    wish.per_second =
        check.integer(body, "", "ratePerSecond", {1, admin::letters_per_second_max}).value_or(1);
  if (!check.errors().empty()) return problem_of(check);
  wish.actor = actor_of(call);
  wish.actor_data = actor_data(call);
  auto connection = parts.pool.acquire();
  return json_reply(202, replayed_json(admin::replay(*connection, wish)));
}

}  // namespace

void add_dead_letter_routes(Router& router, const ApiParts& parts) {
  router.add("GET", "/api/admin/dead-letters", [&parts](Call& call) { return list(parts, call); });
  router.add("POST", "/api/admin/dead-letters/replay",
             [&parts](Call& call) { return replay_many(parts, call); });
  router.add("GET", "/api/admin/dead-letters/{id}", [&parts](Call& call) { return one(parts, call); });
  router.add("POST", "/api/admin/dead-letters/{id}/replay",
             [&parts](Call& call) { return replay_one(parts, call); });
}

}  // namespace orderd::http
