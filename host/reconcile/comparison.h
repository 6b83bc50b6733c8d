#pragma once
// What a provider holds of one payment, beside what the order's saga knows. Pure.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "saga/core/decide.h"

namespace orderd::reconcile {

/// One payment of a provider's list (payment.h of the ABI, list_since).
struct Listed {
  std::string subject, reference;
  PaymentTotals totals;
};
struct Page {
  std::vector<Listed> payments;
  std::string cursor;         // of the next page; "": this was the last
  std::size_t senseless = 0;  // payments left out: their totals or texts are none
};

/// The details of a list_since outcome; nullopt if they make no sense.
std::optional<Page> read_page(std::string_view details_json);
/// The details of a list_since command.
std::string list_details(Time since, const std::string& cursor);

/// Where the saga stands that a payment is compared with.
enum class Stage {
  moving,   // live and in motion: its next answer may bring what is missing
  waiting,  // live, and nothing has moved for a while
  settled,  // finished, long enough for every list to have followed
};

enum class Difference {
  none,
  behind,    // the provider has had more movements than we know of: a lost answer or webhook
  reversed,  // the provider has less than it told us: money was taken back elsewhere
};

Difference compare(const saga::Saga& ours, Stage stage, const Listed& theirs);
/// The notice that a difference becomes for the saga.
saga::Notice notice_of(Difference difference, const Listed& theirs);

}  // namespace orderd::reconcile
