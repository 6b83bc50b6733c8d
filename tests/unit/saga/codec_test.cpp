// Stored sagas: their bytes do not change by themselves, and rows of every version are read.
#include <catch2/catch.hpp>

#include "support/full_saga.h"

using namespace orderd;
using namespace orderd::saga;

namespace {

constexpr const char* full =
    R"({"orderId":"01920000-0000-7000-8000-000000000001","shard":3,"definition":"d1g357","mode":3,"stat)"
    R"(us":"CANCELLING","version":5,"updated":9,"steps":[1,5,0],"seq":7,"open":{"step":2,"phase":3,"und)"
    R"(o":true,"query":true,"extend":true,"look":true,"unknown":true,"action":"payment.refund","seq":7,)"
    R"("gen":3,"attempt":4,"sends":2,"amount":500,"began":1,"sent":2,"keySent":3,"deadline":4,"next":7,)"
    R"("had":100,"lostUntil":5,"doubted":6,"expires":8},"reason":{"code":"CANCELLED_BY_REQUEST","messag)"
    R"(e":"no longer \"wanted\""},"stuck":{"code":"OUTCOME_UNKNOWN","message":"nobody knows"},"attentio)"
    R"(n":{"code":"REFUND_FAILED","message":"failed since"},"attentionSince":10,"toldUntil":13,"hinted")"
    R"(:14,"books":{"refunded":11,"voided":12,"refundedTo":13,"voidedTo":14,"capturesFailed":15,"refund)"
    R"(sFailed":16,"decided":12,"refundFailures":2,"disputed":[4,3,2,1],"accepted":17,"withheld":{"code)"
    R"(":"PAYMENT_CONTRADICTED","message":"less than before"}},"suspended":{"step":2,"phase":3,"undo":t)"
    R"(rue,"query":true,"extend":true,"look":true,"unknown":true,"action":"payment.refund","seq":7,"gen)"
    R"(":3,"attempt":4,"sends":2,"amount":500,"began":1,"sent":2,"keySent":3,"deadline":4,"next":7,"los)"
    R"(tUntil":5,"doubted":6},"heldUntil":15,"heldStep":1,"extendAt":16,"payment":{"method":"card","sta)"
    R"(tus":"CAPTURED","provider":"bank","authorized":1000,"captured":900,"refunded":300,"nextAction":{)"
    R"("type":"redirect","url":"https://bank.example/1","expiresAt":"1970-01-01T00:00:00.011Z"}},"told")"
    R"(:"AUTHORIZED","voided":50,"reference":"pi_1","blobs":{"payment":{"v":3,"b":"AAFrZXB0"}},"plugins)"
    R"(":{"inventory":"aa","payment":"bb"},"instances":{"payment":"bank-eu"},"attempts":[{"seq":7,"gen")"
    R"(:3,"action":"payment.capture","query":true,"outcome":2,"answer":1,"code":"NO","at":17,"took":18,)"
    R"("by":"webhook evt_1","plugin":"0123456789ab","message":"not now"},{"seq":1,"gen":0,"action":"pay)"
    R"(ment.authorize","outcome":1,"at":18}]})";
constexpr const char* fresh =
    R"({"orderId":"01920000-0000-7000-8000-000000000001","shard":0,"definition":"","mode":1,"status":"P)"
    R"(ENDING","version":1,"updated":0,"steps":[0],"seq":0,"open":{"step":0,"phase":1,"action":"payment)"
    R"(.authorize","seq":0,"gen":0,"attempt":1,"sends":0,"amount":0,"began":0,"sent":0,"keySent":0,"dea)"
    R"(dline":0,"next":0},"payment":{"method":"","status":"NONE","provider":null,"authorized":0,"captur)"
    R"(ed":0,"refunded":0,"nextAction":null},"told":"NONE","voided":0,"reference":""})";

}  // namespace

TEST_CASE("a saga in which every field is set is stored in these bytes, and read again as it was") {
  CHECK(to_json(test::full_saga()) == full);
  CHECK(from_json(full) == test::full_saga());
}

TEST_CASE("a saga that has just begun is stored in these bytes") {
  Saga saga;
  saga.order_id = *Uuid::parse("01920000-0000-7000-8000-000000000001");
  saga.steps = {StepResult::none};
  saga.open = OpenCommand{};
  saga.open->action = "payment.authorize";
  CHECK(to_json(saga) == fresh);
  CHECK(from_json(fresh) == saga);
}

TEST_CASE("a row that was written before sends were counted has sent once") {
  std::string row = fresh;
  row.replace(row.find(R"("sends":0,)"), 10, "");
  const auto saga = from_json(row);
  REQUIRE(saga);
  CHECK(saga->open->sends == 1);
}

TEST_CASE("what is no saga is not read, and a field of another type counts as absent") {
  for (const char* damaged :
       {"", "{}", "[1]", "{\"orderId\":\"x\"}", R"({"orderId":1,"status":2,"steps":3,"payment":4})"})
    CHECK_FALSE(from_json(damaged));
  std::string row = fresh;
  row.replace(row.find(R"("version":1)"), 11, R"("version":"1")");
  const auto saga = from_json(row);
  REQUIRE(saga);
  CHECK(saga->version == Saga{}.version);
}
