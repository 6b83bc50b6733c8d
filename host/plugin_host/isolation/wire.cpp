#include "plugin_host/isolation/wire.h"

#include <concepts>
#include <cstring>
#include <iterator>
#include <utility>

namespace orderd::plugins::isolation {
namespace {

template <class T>
concept Number = std::integral<T> || std::is_enum_v<T>;

/// Puts a struct's fields into a frame, one after another, without their names: both ends are one build.
class Writer {
 public:
  explicit Writer(Out& out) : out_(out) {}
  template <class T>
  void operator()(const char*, const T& field) {
    put(field);
  }

 private:
  template <Number T>
  void put(T number) {
    out_.number(&number, sizeof number);
  }
  void put(const std::string& text) { out_.text(text); }
  void put(const Uuid& id) { out_.number(id.bytes.data(), id.bytes.size()); }
  void put(Millis time) { out_.i64(time.count()); }
  void put(Time time) { put(time.time_since_epoch()); }
  template <class A, class B>
  void put(const std::pair<A, B>& pair) {
    put(pair.first), put(pair.second);
  }
  template <class T>
  void put(const std::optional<T>& field) {
    out_.u8(field.has_value());
    if (field) put(*field);
  }
  template <class T>
  void put(const std::vector<T>& list) {
    out_.u32(static_cast<std::uint32_t>(list.size()));
    for (const T& one : list) put(one);
  }
  void put(const std::map<std::string, std::string>& texts) {
    put(std::vector<std::pair<std::string, std::string>>(texts.begin(), texts.end()));
  }
  template <class T>
  requires std::is_class_v<T>
  void put(const T& of) { fields(*this, of); }
  Out& out_;
};

/// Takes them out again.
class Reader {
 public:
  explicit Reader(In& in) : in_(in) {}
  template <class T>
  void operator()(const char*, T& field) {
    take(field);
  }

 private:
  template <Number T>
  void take(T& number) {
    if constexpr (std::same_as<T, bool>)
      number = in_.u8() != 0;
    else
      in_.number(&number, sizeof number);
  }
  void take(std::string& text) { text = in_.text(); }
  void take(Uuid& id) { in_.number(id.bytes.data(), id.bytes.size()); }
  void take(Millis& time) { time = Millis(in_.i64()); }
  void take(Time& time) { time = Time(Millis(in_.i64())); }
  template <class A, class B>
  void take(std::pair<A, B>& pair) {
    take(pair.first), take(pair.second);
  }
  template <class T>
  void take(std::optional<T>& field) {
    if (in_.u8() != 0) take(field.emplace());
  }
  template <class T>
  void take(std::vector<T>& list) {
    for (std::size_t left = in_.count(sizeof(std::uint32_t)); left > 0 && in_.ok(); --left)
      take(list.emplace_back());
  }
  void take(std::map<std::string, std::string>& texts) {
    std::vector<std::pair<std::string, std::string>> list;
    take(list);
    texts.insert(std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
  }
  template <class T>
  requires std::is_class_v<T>
  void take(T& of) { fields(*this, of); }
  In& in_;
};

}  // namespace

Out& Out::number(const void* from, std::size_t size) {
  bytes_.append(static_cast<const char*>(from), size);
  return *this;
}
Out& Out::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}
Out& Out::bytes(std::string_view fields) {
  bytes_.append(fields);
  return *this;
}
std::string Out::frame(Frame kind) const {
  const auto size = static_cast<std::uint32_t>(bytes_.size() + 1);
  std::string out(sizeof size, '\0');
  std::memcpy(out.data(), &size, sizeof size);
  out.push_back(static_cast<char>(kind));
  return out + bytes_;
}

bool In::number(void* to, std::size_t size) {
  if (ok_ && rest_.size() >= size) {
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }
  spoil();
  return false;
}
void In::spoil() {
  ok_ = false;
  rest_ = {};
}
std::uint8_t In::u8() {
  std::uint8_t value = 0;
  number(&value, sizeof value);
  return value;
}
std::uint32_t In::u32() {
  std::uint32_t value = 0;
  number(&value, sizeof value);
  return value;
}
std::int64_t In::i64() {
  std::int64_t value = 0;
  number(&value, sizeof value);
  return value;
}
std::string In::text() {
  const std::uint32_t size = u32();
  if (!ok_ || rest_.size() < size) {
    spoil();
    return {};
  }
  std::string value(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return value;
}
std::size_t In::count(std::size_t bytes_each) {
  const std::uint32_t count = u32();
  if (count <= rest_.size() / bytes_each) return count;
  spoil();
  return 0;
}
template <class T>
void write(Out& out, const T& of) {
  Writer writer(out);
  fields(writer, of);
}
template <class T>
T read(In& in) {
  T of;
  Reader reader(in);
  fields(reader, of);
  return of;
}
template void write(Out&, const Begin&);
template Begin read(In&);
template void write(Out&, const Hello&);
template Hello read(In&);
template void write(Out&, const Outcome&);
template Outcome read(In&);
template void write(Out&, const Answered&);
template Answered read(In&);
template void write(Out&, const WebhookRequest&);
template WebhookRequest read(In&);
template void write(Out&, const WebhookResult&);
template WebhookResult read(In&);

/// The plugin's process has no database to ask: with each command it takes the host's time.
void write_command(Out& out, const Command& command) {
  out.i64(now().time_since_epoch().count()).i64(steady_now().count());
  Writer writer(out);
  fields(writer, command);
}
Command read_command(In& in) {
  const Time time{Millis(in.i64())};
  measured_clock(time, Millis(in.i64()));
  Command command;
  Reader reader(in);
  fields(reader, command);
  return command;
}

}  // namespace orderd::plugins::isolation
