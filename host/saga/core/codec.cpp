// A saga as JSON and back: `sagas.data` and the journal.
#include <array>
#include <concepts>

#include "base/sha256.h"
#include "model/json.h"
#include "model/order_json.h"
#include "saga/core/fields.h"

namespace orderd::saga {
namespace {

/// Stored by their names.
std::string_view named(Status status) { return name(status); }
std::string_view named(PaymentStatus status) { return name(status); }
std::optional<Status> parse(std::string_view text, Status) { return parse_status(text); }
std::optional<PaymentStatus> parse(std::string_view text, PaymentStatus) {
  return parse_payment_status(text);
}
template <class T>
concept Named = std::same_as<T, Status> || std::same_as<T, PaymentStatus>;
template <class T>
concept Number = std::integral<T> ||(std::is_enum_v<T> && !Named<T>);

class Writer {
 public:
  explicit Writer(json::Object& object) : object_(object) {}
  static bool when(bool condition) { return condition; }
  template <class T>
  void operator()(const char* name, const T& member, const T& = {}) {
    put(name, member);
  }
  template <class T>
  void rare(const char* name, const T& member) {
    static const T fresh{};
    if (member != fresh) put(name, member);
  }
  template <class T>
  void rare(const char* name, const std::optional<T>& member) {
    if (member) put(name, *member);
  }

 private:
  void put(const char* name, bool is) { object_.add(name, is); }
  template <Number T>
  void put(const char* name, T number) {
    object_.add(name, static_cast<std::int64_t>(number));
  }
  template <Named T>
  void put(const char* name, T value) {
    object_.add(name, named(value));
  }
  void put(const char* name, const std::string& text) { object_.add(name, text); }
  void put(const char* name, const Uuid& id) { object_.add(name, id.to_string()); }
  void put(const char* name, Time time) { object_.add(name, std::int64_t{time.time_since_epoch().count()}); }
  void put(const char* name, const Reason& reason) { object_.raw(name, reason_json(reason)); }
  void put(const char* name, const PaymentView& payment) { object_.raw(name, payment_json(payment)); }
  void put(const char* name, const PaymentTotals& of) {
    put(name, std::vector{of.authorized, of.captured, of.refunded, of.voided});
  }
  void put(const char* name, const StateBlob& blob) {
    std::string out;
    json::Object object(out);
    object.add("v", blob.version).add("b", to_base64url(blob.bytes)).end();
    object_.raw(name, out);
  }
  template <class T>
  void put(const char* name, const std::vector<T>& list) {
    std::string out = "[";
    for (const T& one : list) out.append(out.size() > 1 ? "," : "").append(item(one));
    object_.raw(name, out + "]");
  }
  template <class T>
  void put(const char* name, const std::map<std::string, T>& by_name) {
    std::string out;
    json::Object object(out);
    Writer members(object);
    for (const auto& [key, value] : by_name) members.put(key.c_str(), value);
    object.end();
    object_.raw(name, out);
  }
  template <class T>
  requires requires(Writer& writer, const T& of) { fields(writer, of); }
  void put(const char* name, const T& of) { object_.raw(name, item(of)); }
  template <Number T>
  static std::string item(T number) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  template <class T>
  requires std::is_class_v<T>
  static std::string item(const T& of) {
    std::string out;
    json::Object object(out);
    Writer writer(object);
    fields(writer, of);
    object.end();
    return out;
  }
  json::Object& object_;
};

/// What is absent, or of another type, stays as it is.
class Reader {
 public:
  explicit Reader(const json::Value& object) : object_(object) {}
  static bool when(bool) { return true; }
  template <class T>
  void operator()(const char* name, T& member) {
    if (const auto found = object_.FindMember(name); found != object_.MemberEnd()) take(found->value, member);
  }
  template <class T>
  void operator()(const char* name, T& member, T absent) {
    member = absent;
    (*this)(name, member);
  }
  template <class T>
  void rare(const char* name, T& member) {
    (*this)(name, member);
  }

 private:
  static void take(const json::Value& value, bool& is) { is = value.IsBool() && value.GetBool(); }
  template <Number T>
  static void take(const json::Value& value, T& number) {
    if (value.IsInt64()) number = static_cast<T>(value.GetInt64());
  }
  template <Named T>
  static void take(const json::Value& value, T& of) {
    if (value.IsString()) of = parse(value.GetString(), of).value_or(of);
  }
  static void take(const json::Value& value, std::string& text) {
    if (value.IsString()) text.assign(value.GetString(), value.GetStringLength());
  }
  static void take(const json::Value& value, Uuid& id) {
    if (value.IsString()) id = Uuid::parse(value.GetString()).value_or(id);
  }
  static void take(const json::Value& value, Time& time) {
    if (value.IsInt64()) time = Time(Millis(value.GetInt64()));
  }
  template <class T>
  static void take(const json::Value& value, std::optional<T>& of) {
    if (!value.IsNull()) take(value, of.emplace());
  }
  static void take(const json::Value& value, Reason& reason) {
    if (value.IsObject())
      reason = {std::string(json::string(value, "code")), std::string(json::string(value, "message"))};
  }
  static void take(const json::Value& value, PaymentView& payment) {
    if (value.IsObject()) payment = read_payment(value);
  }
  static void take(const json::Value& value, PaymentTotals& of) {
    std::vector<std::int64_t> all;
    take(value, all);
    all.resize(4);
    of = {all[0], all[1], all[2], all[3]};
  }
  static void take(const json::Value& value, StateBlob& blob) {
    if (value.IsObject())
      blob = {static_cast<std::uint32_t>(json::integer(value, "v")),
              from_base64url(json::string(value, "b"))};
  }
  template <class T>
  static void take(const json::Value& value, std::vector<T>& list) {
    if (!value.IsArray()) return;
    for (const auto& one : value.GetArray()) take(one, list.emplace_back());
  }
  template <class T>
  static void take(const json::Value& value, std::map<std::string, T>& by_name) {
    if (!value.IsObject()) return;
    for (const auto& member : value.GetObject()) take(member.value, by_name[member.name.GetString()]);
  }
  template <class T>
  requires requires(Reader& reader, T& of) { fields(reader, of); }
  static void take(const json::Value& value, T& of) {
    if (!value.IsObject()) return;
    Reader reader(value);
    fields(reader, of);
  }
  const json::Value& object_;
};

}  // namespace

std::string to_json(const Saga& saga) {
  std::string out;
  out.reserve(600);
  json::Object object(out);
  Writer writer(object);
  fields(writer, saga);
  object.end();
  return out;
}

std::optional<Saga> from_json(std::string_view text) {
  json::Document document;
  if (!json::parse(text, document) || !document.IsObject()) return std::nullopt;
  const bool whole = Uuid::parse(json::string(document, "orderId")) &&
                     parse_status(json::string(document, "status")) && json::child(document, "steps") &&
                     json::child(document, "payment");
  if (!whole) return std::nullopt;
  Saga saga;
  Reader reader(document);
  fields(reader, saga);
  return saga;
}

}  // namespace orderd::saga
