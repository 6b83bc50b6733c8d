#pragma once
// What is stored of a saga: each struct's members in their order, under names that rows of every version
// have. A visitor has
//
//   visit(name, member)          always there; visit(name, member, absent) when old rows may lack it
//   visit.rare(name, member)     left out while the member is as a new struct has it
//   visit.when(condition)        whether what is behind it is written; always true for what reads
#include "base/fields.h"
#include "saga/core/state.h"

namespace orderd::saga {

template <class Visitor, FieldsOf<OpenCommand> T>
void fields(Visitor& visit, T& open) {
  visit("step", open.step);
  visit("phase", open.phase);
  visit.rare("undo", open.compensation);
  visit.rare("query", open.query);
  visit.rare("extend", open.extend);
  visit.rare("look", open.recheck);
  visit.rare("unknown", open.unknown);
  visit("action", open.action);
  visit("seq", open.sequence);
  visit("gen", open.generation);
  visit("attempt", open.attempt);
  visit("sends", open.sends, std::uint32_t{1});  // older rows do not count them
  visit("amount", open.amount);
  visit("began", open.began);
  visit("sent", open.sent);
  visit("keySent", open.key_sent);
  visit("deadline", open.deadline);
  visit("next", open.next);
  visit.rare("had", open.had);
  visit.rare("lostUntil", open.unanswered_until);
  visit.rare("doubted", open.contradicted_since);
  visit.rare("expires", open.expires);
}

template <class Visitor, FieldsOf<Attempt> T>
void fields(Visitor& visit, T& attempt) {
  visit("seq", attempt.sequence);
  visit("gen", attempt.generation);
  visit("action", attempt.action);
  visit.rare("query", attempt.query);
  visit("outcome", attempt.outcome);
  visit.rare("answer", attempt.answer);
  visit.rare("code", attempt.code);
  visit("at", attempt.at);
  visit.rare("took", attempt.took_ms);
  visit.rare("by", attempt.by);
  visit.rare("plugin", attempt.digest);
  visit.rare("message", attempt.message);
}

template <class Visitor, FieldsOf<Books> T>
void fields(Visitor& visit, T& books) {
  visit.rare("refunded", books.refunded);
  visit.rare("voided", books.voided);
  visit.rare("refundedTo", books.refunded_to);
  visit.rare("voidedTo", books.voided_to);
  visit.rare("capturesFailed", books.captures_failed);
  visit.rare("refundsFailed", books.refunds_failed);
  visit.rare("decided", books.decided);
  visit.rare("refundFailures", books.refund_failures);
  visit.rare("disputed", books.disputed);
  visit.rare("accepted", books.accepted);
  visit.rare("withheld", books.withheld);
}

template <class Visitor, FieldsOf<Saga> T>
void fields(Visitor& visit, T& saga) {
  visit("orderId", saga.order_id);
  visit("shard", saga.shard);
  visit("definition", saga.definition);
  visit("mode", saga.mode);
  visit("status", saga.status);
  visit("version", saga.version);
  visit("updated", saga.updated);
  visit("steps", saga.steps);
  visit("seq", saga.sequence);
  visit.rare("open", saga.open);
  visit.rare("reason", saga.reason);
  visit.rare("stuck", saga.stuck);
  visit.rare("attention", saga.attention);
  if (visit.when(saga.stuck || saga.attention)) visit("attentionSince", saga.attention_since);
  visit.rare("toldUntil", saga.last_notice_at);
  visit.rare("hinted", saga.recheck_requested_at);
  visit.rare("books", saga.books);
  visit.rare("suspended", saga.suspended);
  if (visit.when(saga.reservation_expires_at.has_value())) {
    visit.rare("heldUntil", saga.reservation_expires_at);
    visit("heldStep", saga.held_step);
    visit("extendAt", saga.extend_at);
  }
  visit("payment", saga.payment);
  visit("told", saga.published_payment_status);
  visit("voided", saga.voided);
  visit("reference", saga.reference);
  visit.rare("blobs", saga.blobs);
  visit.rare("plugins", saga.digests);
  visit.rare("instances", saga.instances);
  visit.rare("attempts", saga.attempts);
}

}  // namespace orderd::saga
