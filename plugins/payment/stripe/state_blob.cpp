#include "state_blob.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "json.h"

namespace stripe {

orderd::sdk::State StateBlob::state() const {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  writer.StartObject();
  writer.Key("intent");
  writer.String(intent.data(), static_cast<rapidjson::SizeType>(intent.size()));
  if (!missing.empty()) {
    writer.Key("missing");
    writer.String(missing.data(), static_cast<rapidjson::SizeType>(missing.size()));
    writer.Key("since");
    writer.Int64(missing_since_ms);
  }
  writer.EndObject();
  return {version, std::string(buffer.GetString(), buffer.GetSize())};
}

StateBlob read_state(const orderd::sdk::State& state) {
  rapidjson::Document document;
  if (state.version != StateBlob::version || !parse_object(state.bytes, document)) return {};
  return {text(document, "intent"), text(document, "missing"), number(document, "since")};
}

}  // namespace stripe
