#include "intake/card_number.h"

#include <catch2/catch.hpp>
#include <string>

using orderd::intake::holds_card_number;

TEST_CASE("Card numbers are found alone, grouped, and in the midst of text") {
  for (const char* text : {
           "4111111111111111",
           "4111 1111 1111 1111",
           "4111-1111-1111-1111",
           "my card: 5555555555554444, thanks",
           "card4111111111111111",
           "378282246310005",
           "3782 822463 10005",
           "30569309025904",
           "6011111111111117",
           "3530111333300000",
           "2223003122003222",
           "6759649826438453",
           "order 12 4111 1111 1111 1111",
           "41 11 11 11 11 11 11 11",
           "pan=4111111111111111;exp=12/30",
           "6304 0000 0000 0000 000",
       }) {
    INFO(text);
    CHECK(holds_card_number(text));
  }
}

TEST_CASE("What only looks like a card number is let through") {
  for (const char* text : {
           "",
           "4111",
           "4111111111111112",
           "1111111111111117",
           "9411111111111111",
           "41111111111111111111111",
           "4111  1111  1111  1111",
           "4111.1111.1111.1111",
           "1700000000000000000",
           "+43 660 1234567",
           "41111111-1111-4111-8111-111111111111",
           "e3b0c44298fc1c149afb4111111111111111afbf4c8996fb92427ae41e4649b9",
           "a4111111111111111",
           "2026-11-23T21:45:59.000Z",
           "8a4111111111111111f",
       }) {
    INFO(text);
    CHECK_FALSE(holds_card_number(text));
  }
}
