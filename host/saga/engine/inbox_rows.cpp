#include "saga/engine/inbox_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/fault.h"

namespace orderd::saga {
namespace {

constexpr Millis settles_after{1000}, first_wait{500}, longest_wait{30'000};
constexpr std::size_t rows_kept_max = 100'000;  // of those that wait only when and how often is kept

}  // namespace

InboxPlace InboxRows::place() const {
  if (fault::mutation("inbox_first_rows")) return {0, 0};
  return {settled_, swept_};
}

std::vector<InboxItem> InboxRows::take(std::vector<InboxItem> read, std::size_t limit, Time now) {
  const auto is_new = [&](const InboxItem& one) { return one.id > settled_; };
  const auto first_new = std::find_if(read.begin(), read.end(), is_new);
  const auto old = static_cast<std::size_t>(first_new - read.begin());
  swept_ = old < limit ? 0 : std::prev(first_new)->id;
  if (first_new != read.end()) highest_ = std::max(highest_, read.back().id);
  if (read.size() - old >= limit) {
    settled_ = read.back().id;
  } else if (now - settled_at_ >= settles_after) {
    settled_ = std::max(settled_, std::exchange(settling_, highest_));
    settled_at_ = now;
  }
  std::vector<InboxItem> out;
  for (InboxItem& item : read) {
    const auto [found, fresh] = rows_.try_emplace(item.id, Row{item.shard});
    Row& row = found->second;
    if (!fresh && (row.under_way || row.again > now)) continue;
    row.under_way = true;
    out.push_back(std::move(item));
  }
  return out;
}

void InboxRows::later(std::int64_t id, Time now) {
  if (rows_.size() > rows_kept_max)
    std::erase_if(rows_, [&](const auto& one) { return !one.second.under_way; });
  const auto found = rows_.find(id);
  if (found == rows_.end()) return;
  Row& row = found->second;
  row.under_way = false;
  row.again = now + std::min(longest_wait, first_wait * (1 << std::min(row.failures++, 6)));
}

void InboxRows::drop(std::int16_t shard) {
  std::erase_if(rows_, [&](const auto& one) { return one.second.shard == shard; });
}

void InboxRows::begin_again() { settled_ = settling_ = highest_ = swept_ = 0; }

}  // namespace orderd::saga
