#include "inventory.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>

namespace inventory {
namespace {

constexpr const char* read_reservations =
    "select subject, state, lines from inventory.reservations where subject = any($1::text[])";

constexpr const char* read_available = "select sku, on_hand from inventory.stock where sku = any($1::text[])";

// The one lock of the transaction, for all its commands, in order of SKU: two hosts cannot deadlock.
constexpr const char* lock_stock =
    "select sku, on_hand, reserved, sold from inventory.stock where sku = any($1::text[]) order by sku for "
    "no key update";

constexpr const char* write_stock =
    "update inventory.stock s set on_hand = s.on_hand + u.h, reserved = s.reserved + u.r, sold = s.sold + "
    "u.s "
    "from unnest($1::text[], $2::int8[], $3::int8[], $4::int8[]) u(k, h, r, s) where s.sku = u.k";

// A reservation that another transaction made or changed since it was read fails the call: the host rolls
// back and asks again.
constexpr const char* insert_reservations =
    "insert into inventory.reservations (subject, state, lines) "
    "select * from unnest($1::text[], $2::int2[], $3::text[]) u(id, state, lines) order by id";
constexpr const char* update_reservations =
    "update inventory.reservations r set state = u.state from unnest($1::text[], $2::int2[], $3::int2[]) "
    "u(id, state, was) "
    "where r.subject = u.id and r.state = u.was";

constexpr const char* any_product = "select from inventory.stock limit 1";
constexpr const char* no_product_at_all =
    "the stock has no product at all: `orderctl stock import FILE` brings some, `orderctl stock demo` for a "
    "try";

std::vector<std::string> list_of(const std::set<std::string>& set) { return {set.begin(), set.end()}; }

Books read_books(Transaction& tx, const std::vector<InventoryCommand>& commands) {
  using Action = orderd::sdk::InventoryAction;
  Books books;
  std::set<std::string> subjects, skus, asked;
  for (const InventoryCommand& command : commands) {
    if (command.action != Action::availability) subjects.emplace(command.subject);
    for (const auto& [sku, quantity] : command.wanted) {
      if (command.action == Action::reserve) skus.emplace(sku);
      if (command.action == Action::availability) asked.emplace(sku);
    }
  }
  if (!subjects.empty()) {
    const auto found = tx.exec(read_reservations, Params().texts(list_of(subjects)));
    for (std::size_t i = 0; i < found.rows(); ++i) {
      const auto state = static_cast<ReservationState>(found.integer(i, 1));
      Reservation& reservation = books.reservations[std::string(found.bytes(i, 0))];
      reservation = {state, to_lines(found.bytes(i, 2)), state, false};
      for (const auto& [sku, quantity] : reservation.lines) skus.insert(sku);
    }
  }
  if (!skus.empty()) {
    const auto locked = tx.exec(lock_stock, Params().texts(list_of(skus)));
    for (std::size_t i = 0; i < locked.rows(); ++i)
      books.stock[std::string(locked.bytes(i, 0))] = {locked.integer(i, 1), locked.integer(i, 2),
                                                      locked.integer(i, 3)};
  }
  if (!asked.empty()) {
    const auto seen = tx.exec(read_available, Params().texts(list_of(asked)));
    for (std::size_t i = 0; i < seen.rows(); ++i)
      books.available[std::string(seen.bytes(i, 0))] = seen.integer(i, 1);
  }
  books.before = books.stock;
  return books;
}

void write_stock_of(Transaction& tx, const Books& books) {
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
}

void write_reservations_of(Transaction& tx, const Books& books) {
  std::vector<std::string> fresh, known, lines;
  std::vector<std::int16_t> fresh_states, known_states, known_stored;
  for (const auto& [subject, reservation] : books.reservations) {
    if (!reservation.changed) continue;
    const auto state = static_cast<std::int16_t>(reservation.state);
    if (reservation.stored == ReservationState{}) {
      fresh.push_back(subject);
      fresh_states.push_back(state);
      lines.push_back(to_text(reservation.lines));
    } else {
      known.push_back(subject);
      known_states.push_back(state);
      known_stored.push_back(static_cast<std::int16_t>(reservation.stored));
    }
  }
  if (!fresh.empty()) tx.exec(insert_reservations, Params().texts(fresh).int2s(fresh_states).texts(lines));
  if (known.empty()) return;
  const auto written =
      tx.exec(update_reservations, Params().texts(known).int2s(known_states).int2s(known_stored));
  if (written.affected() != known.size())
    throw orderd::sdk::Refused("a reservation was changed by another transaction meanwhile",
                               ORDERD_E_INTERNAL);
}

Outcome reserve(Books& books, const InventoryCommand& command, const std::string& subject) {
  if (const auto known = books.reservations.find(subject); known != books.reservations.end()) {
    if (known->second.state != ReservationState::released) return Outcome::done();
    return Outcome::declined(ORDERD_CODE_RESERVATION_CLOSED, "this reservation was released before");
  }
  for (const auto& [sku, quantity] : command.wanted) {
    if (quantity <= 0)
      return Outcome::declined("INVALID_QUANTITY",
                               std::string(sku) + ": the quantity is " + std::to_string(quantity));
    const auto row = books.stock.find(std::string(sku));
    if (row == books.stock.end())
      return Outcome::declined(ORDERD_CODE_UNKNOWN_SKU, "there is no product " + std::string(sku));
    if (row->second.on_hand < quantity)
      return Outcome::declined(ORDERD_CODE_OUT_OF_STOCK,
                               std::string(sku) + " is sold out: " + std::to_string(quantity) + " wanted, " +
                                   std::to_string(row->second.on_hand) + " there");
  }
  Reservation& made = books.reservations[subject];
  for (const auto& [sku, quantity] : command.wanted) {
    Stock& row = books.stock.at(std::string(sku));
    row.on_hand -= quantity;
    row.reserved += quantity;
    made.lines[std::string(sku)] = quantity;
  }
  made.changed = true;
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
  known->second.changed = true;
  return Outcome::done();
}

Outcome release(Books& books, const std::string& subject) {
  const auto [known, is_new] = books.reservations.try_emplace(subject);
  Reservation& reservation = known->second;
  if (!is_new && reservation.state == ReservationState::released) return Outcome::done();
  for (const auto& [sku, quantity] : reservation.lines) {
    Stock& row = books.stock.at(sku);
    (reservation.state == ReservationState::sold ? row.sold : row.reserved) -= quantity;
    row.on_hand += quantity;
  }
  reservation.state = ReservationState::released;
  reservation.changed = true;
  return Outcome::done();
}

Outcome availability(const Books& books, const InventoryCommand& command) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  json.StartObject();
  json.Key("available");
  json.StartObject();
  for (const auto& [sku, quantity] : command.wanted) {
    const auto row = books.available.find(std::string(sku));
    json.Key(sku.data(), static_cast<rapidjson::SizeType>(sku.size()));
    json.Int64(row == books.available.end() ? 0 : row->second);
  }
  json.EndObject();
  json.EndObject();
  Outcome outcome = Outcome::done();
  outcome.details_json = out.GetString();
  return outcome;
}

}  // namespace

std::string to_text(const Lines& lines) {
  std::string out;
  for (const auto& [sku, quantity] : lines)
    out.append(std::to_string(quantity))
        .append(":")
        .append(std::to_string(sku.size()))
        .append(":")
        .append(sku);
  return out;
}

Lines to_lines(std::string_view text) {
  Lines lines;
  const auto number = [&text] {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto length = static_cast<std::size_t>(stop - text.data());
    if (error != std::errc() || length == text.size() || *stop != ':' || value < 0)
      throw orderd::sdk::Refused("the lines of a reservation are damaged: " + std::string(text),
                                 ORDERD_E_INTERNAL);
    text.remove_prefix(length + 1);
    return value;
  };
  while (!text.empty()) {
    const std::int64_t quantity = number();
    const auto size = static_cast<std::size_t>(number());
    lines[std::string(text.substr(0, size))] = quantity;
    text.remove_prefix(std::min(size, text.size()));
  }
  return lines;
}

Outcome apply(Books& books, const InventoryCommand& command) {
  using Action = orderd::sdk::InventoryAction;
  const std::string subject(command.subject);
  switch (command.action) {
    case Action::reserve:
      return reserve(books, command, subject);
    case Action::commit:
      return commit(books, subject);
    case Action::release:
      return release(books, subject);
    case Action::availability:
      return availability(books, command);
    case Action::extend: {
      // Reservations of this backend do not expire.
      const auto known = books.reservations.find(subject);
      if (known != books.reservations.end() && known->second.state != ReservationState::released)
        return Outcome::done();
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
  const auto unknown = [](const Outcome& one) { return one.code == ORDERD_CODE_UNKNOWN_SKU; };
  if (std::any_of(outcomes.begin(), outcomes.end(), unknown) && tx.exec(any_product, Params()).rows() == 0)
    for (Outcome& one : outcomes)
      if (unknown(one)) one.message = no_product_at_all;
  write_stock_of(tx, books);
  write_reservations_of(tx, books);
  return outcomes;
}

}  // namespace inventory
