// The host's transaction as C++ (tx.h): binary parameters in, binary results out, SqlError on failure.
#ifndef ORDERD_SDK_TRANSACTION_HPP
#define ORDERD_SDK_TRANSACTION_HPP

#include "host.hpp"
#include "params.hpp"

namespace orderd::sdk {

/// What a statement returned. Valid until the lending call returns; views too.
class Result {
 public:
  Result(const orderd_tx_v1* api, const orderd_result* result) : api_(api), result_(result) {}
  std::size_t rows() const { return static_cast<std::size_t>(api_->rows(result_)); }
  std::uint64_t affected() const { return api_->affected(result_); }
  bool is_null(std::size_t row, std::uint32_t column) const {
    return api_->value(result_, row, column).data == nullptr;
  }
  /// text, varchar, bytea: the bytes.
  std::string_view bytes(std::size_t row, std::uint32_t column) const {
    return sdk::text(api_->value(result_, row, column));
  }
  /// int2, int4, int8.
  std::int64_t integer(std::size_t row, std::uint32_t column) const {
    const std::string_view value = bytes(row, column);
    if (value.size() != 2 && value.size() != 4 && value.size() != 8)
      throw Refused("a column is no integer, or is NULL");
    std::uint64_t number =
        static_cast<unsigned char>(value[0]) & 0x80 ? ~std::uint64_t{0} : 0;  // keep the sign
    for (const char c : value) number = number << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(number);
  }
  bool boolean(std::size_t row, std::uint32_t column) const {
    return bytes(row, column) == std::string_view("\1", 1);
  }
  orderd_uuid uuid(std::size_t row, std::uint32_t column) const {
    orderd_uuid id{};
    const std::string_view value = bytes(row, column);
    if (value.size() != sizeof id.bytes) throw Refused("a column is no uuid, or is NULL");
    std::memcpy(id.bytes, value.data(), sizeof id.bytes);
    return id;
  }

 private:
  const orderd_tx_v1* api_;
  const orderd_result* result_;
};

/// Open inside the call it came with, on that thread.
class Transaction {
 public:
  Transaction(const Host& host, orderd_tx* tx) : api_(host.extension<orderd_tx_v1>(ORDERD_EXT_TX)), tx_(tx) {}

  /// `sql` is a constant text: it is prepared once per connection. Throws SqlError; let it pass.
  Result exec(const char* sql, const Params& params = {}) {
    const orderd_result* result = nullptr;
    orderd_error error;
    ORDERD_CLEAR(error);
    const auto list = params.abi();
    const orderd_status status = api_->exec(tx_, sql, list.data(), static_cast<std::uint32_t>(list.size()),
                                            ORDERD_FORMAT_BINARY, &result, &error);
    if (status != ORDERD_OK) throw SqlError(status, error.code, error.message);
    return {api_, result};
  }

 private:
  const orderd_tx_v1* api_;
  orderd_tx* tx_;
};

}  // namespace orderd::sdk
#endif
