#include "inventory.h"

#include <algorithm>

namespace inventory {
namespace {

// One row per SKU of the subject, or one without SKU for a reservation that never was.
constexpr const char* read_reservations =
    "select r.subject, r.state, l.sku, l.quantity from inventory.reservations r "
    "left join lateral unnest(r.skus, r.quantities) l(sku, quantity) on true where r.subject = any($1::text[])";

// The one lock of the transaction, for all its commands, in order of SKU: two hosts cannot deadlock.
constexpr const char* lock_stock =
    "select sku, on_hand, reserved, sold from inventory.stock where sku = any($1::text[]) order by sku for no key update";

constexpr const char* write_stock =
    "update inventory.stock s set on_hand = s.on_hand + u.h, reserved = s.reserved + u.r, sold = s.sold + u.s "
    "from unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) u(k, h, r, s) where s.sku = u.k";

// Arrays of arrays do not exist: lines come flat, and are put together per subject.
constexpr const char* write_reservations =
    "insert into inventory.reservations (subject, state, skus, quantities) "
    "select u.id, u.state, coalesce(l.skus, '{}'), coalesce(l.quantities, '{}') "
    "from unnest($1::text[], $2::int2[]) u(id, state) left join "
    "(select id, array_agg(sku) skus, array_agg(quantity) quantities "
    "from unnest($3::text[], $4::text[], $5::int8[]) f(id, sku, quantity) group by id) l using (id) "
    "on conflict (subject) do update set state = excluded.state";

Books read_books(Transaction& tx, const std::vector<InventoryCommand>& commands) {
  Books books;
  std::set<std::string> subjects, skus;
  for (const InventoryCommand& command : commands) {
    subjects.emplace(command.subject);
    for (const auto& [sku, quantity] : command.wanted) skus.emplace(sku);
  }
  // Subjects belong to orders that no other transaction works on now (the host sees to it): a plain read will do. What they
  // hold may name SKUs that the command does not.
  const auto found = tx.exec(read_reservations, Params().texts(std::vector<std::string>(subjects.begin(), subjects.end())));
  for (std::size_t i = 0; i < found.rows(); ++i) {
    Reservation& reservation = books.reservations[std::string(found.bytes(i, 0))];
    reservation.state = static_cast<ReservationState>(found.integer(i, 1));
    if (found.is_null(i, 2)) continue;
    reservation.lines[std::string(found.bytes(i, 2))] = found.integer(i, 3);
    skus.emplace(found.bytes(i, 2));
  }
  const auto locked = tx.exec(lock_stock, Params().texts(std::vector<std::string>(skus.begin(), skus.end())));
  for (std::size_t i = 0; i < locked.rows(); ++i)
    books.stock[std::string(locked.bytes(i, 0))] = {locked.integer(i, 1), locked.integer(i, 2), locked.integer(i, 3)};
  books.before = books.stock;
  return books;
}

void write_books(Transaction& tx, const Books& books) {
  std::vector<std::string> skus;
  std::vector<std::int64_t> on_hand, reserved, sold;
  for (const auto& [sku, now] : books.stock) {
    const Stock& before = books.before.at(sku);
    if (now.on_hand == before.on_hand && now.reserved == before.reserved && now.sold == before.sold) continue;
    skus.push_back(sku);
    on_hand.push_back(now.on_hand - before.on_hand);
    reserved.push_back(now.reserved - before.reserved);
    sold.push_back(now.sold - before.sold);
  }
  if (!skus.empty()) tx.exec(write_stock, Params().texts(skus).int8s(on_hand).int8s(reserved).int8s(sold));
  if (books.changed.empty()) return;
  std::vector<std::string> subjects, line_subjects, line_skus;
  std::vector<std::int16_t> states;
  std::vector<std::int64_t> quantities;
  for (const std::string& subject : books.changed) {
    const Reservation& reservation = books.reservations.at(subject);
    subjects.push_back(subject);
    states.push_back(static_cast<std::int16_t>(reservation.state));
    for (const auto& [sku, quantity] : reservation.lines) {
      line_subjects.push_back(subject);
      line_skus.push_back(sku);
      quantities.push_back(quantity);
    }
  }
  tx.exec(write_reservations, Params().texts(subjects).int2s(states).texts(line_subjects).texts(line_skus).int8s(quantities));
}

Outcome reserve(Books& books, const InventoryCommand& command, const std::string& subject) {
  if (const auto known = books.reservations.find(subject); known != books.reservations.end()) {
    if (known->second.state != ReservationState::released) return Outcome::done();
    return Outcome::declined(ORDERD_CODE_RESERVATION_CLOSED, "this reservation was released before");
  }
  for (const auto& [sku, quantity] : command.wanted) {
    const auto row = books.stock.find(std::string(sku));
    if (row == books.stock.end()) return Outcome::declined(ORDERD_CODE_UNKNOWN_SKU, "there is no product " + std::string(sku));
    if (row->second.on_hand < quantity)
      return Outcome::declined(ORDERD_CODE_OUT_OF_STOCK, std::string(sku) + " is sold out: " + std::to_string(quantity) +
                                                             " wanted, " + std::to_string(row->second.on_hand) + " there");
  }
  Reservation& made = books.reservations[subject];
  for (const auto& [sku, quantity] : command.wanted) {
    Stock& row = books.stock.at(std::string(sku));
    row.on_hand -= quantity;
    row.reserved += quantity;
    made.lines[std::string(sku)] = quantity;
  }
  books.changed.insert(subject);
  return Outcome::done();
}

Outcome commit(Books& books, const std::string& subject) {
  const auto known = books.reservations.find(subject);
  if (known == books.reservations.end() || known->second.state == ReservationState::released)
    return Outcome::declined(ORDERD_CODE_RESERVATION_CLOSED, "nothing is reserved that could be sold");
  if (known->second.state == ReservationState::sold) return Outcome::done();
  for (const auto& [sku, quantity] : known->second.lines) {
    books.stock.at(sku).reserved -= quantity;
    books.stock.at(sku).sold += quantity;
  }
  known->second.state = ReservationState::sold;
  books.changed.insert(subject);
  return Outcome::done();
}

Outcome release(Books& books, const std::string& subject) {
  const auto [known, is_new] = books.reservations.try_emplace(subject, Reservation{ReservationState::released, {}});
  Reservation& reservation = known->second;
  if (!is_new && reservation.state == ReservationState::released) return Outcome::done();
  for (const auto& [sku, quantity] : reservation.lines) {
    Stock& row = books.stock.at(sku);
    (reservation.state == ReservationState::sold ? row.sold : row.reserved) -= quantity;
    row.on_hand += quantity;
  }
  reservation.state = ReservationState::released;
  books.changed.insert(subject);
  return Outcome::done();
}

Outcome availability(const Books& books, const InventoryCommand& command) {
  Outcome outcome = Outcome::done();
  for (const auto& [sku, quantity] : command.wanted) {
    const auto row = books.stock.find(std::string(sku));
    outcome.details_json.append(outcome.details_json.empty() ? "{\"available\":{" : ",");
    outcome.details_json.append("\"").append(sku).append("\":").append(
        std::to_string(row == books.stock.end() ? 0 : row->second.on_hand));
  }
  outcome.details_json.append(outcome.details_json.empty() ? "{\"available\":{}}" : "}}");
  return outcome;
}

}  // namespace

Outcome apply(Books& books, const InventoryCommand& command) {
  using Action = orderd::sdk::InventoryAction;
  const std::string subject(command.subject);
  switch (command.action) {
    case Action::reserve: return reserve(books, command, subject);
    case Action::commit: return commit(books, subject);
    case Action::release: return release(books, subject);
    case Action::availability: return availability(books, command);
    case Action::extend: {
      // Reservations of this backend do not expire.
      const auto known = books.reservations.find(subject);
      if (known != books.reservations.end() && known->second.state != ReservationState::released) return Outcome::done();
      return Outcome::declined(ORDERD_CODE_RESERVATION_EXPIRED, "nothing is reserved");
    }
  }
  return Outcome::declined("UNSUPPORTED_ACTION", "no inventory command");
}

std::vector<Outcome> Plugin::execute(Transaction& tx, const std::vector<InventoryCommand>& commands) {
  Books books = read_books(tx, commands);
  std::vector<Outcome> outcomes;
  outcomes.reserve(commands.size());
  for (const InventoryCommand& command : commands) outcomes.push_back(apply(books, command));
  write_books(tx, books);
  return outcomes;
}

}  // namespace inventory
