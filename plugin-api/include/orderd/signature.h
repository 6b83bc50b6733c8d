/* "orderd.signature/1", offered by the host: what is needed to verify a webhook, so that a plugin need not
 * bring a library of cryptography along.
 *
 * 1. Most providers sign the raw body, often with a time in front, by HMAC-SHA-256 with a shared secret.
 *    Make the same 32 bytes with hmac_sha256(), and compare them with equal(), never with memcmp(): how
 *    long a comparison takes must not tell how much was right.
 * 2. The signature comes as hex or base64: decode it first, and refuse what does not decode.
 */
#ifndef ORDERD_SIGNATURE_H
#define ORDERD_SIGNATURE_H

#include "host.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ORDERD_EXT_SIGNATURE "orderd.signature/1"

typedef struct orderd_signature_v1 {
  /* RFC 2104 with SHA-256. Keys and messages of any length. [any-thread] */
  void (*hmac_sha256)(const orderd_host *host, orderd_view key, orderd_view message, uint8_t out[32]);
  /* 1 if both are the same bytes, else 0; takes equally long for equal sizes. [any-thread] */
  int32_t (*equal)(const orderd_host *host, orderd_view one, orderd_view other);
} orderd_signature_v1;

#ifdef __cplusplus
}
#endif
#endif
