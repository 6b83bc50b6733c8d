// For the tests of a plugin: a host of cardboard (testing/fake_host.hpp), and the plugin on it
// (testing/plugin.hpp). Header-only; link with threads. Not for what is installed.
#ifndef ORDERD_SDK_TESTING_HPP
#define ORDERD_SDK_TESTING_HPP

#include "testing/command.hpp"
#include "testing/fake_host.hpp"
#include "testing/payment.hpp"
#include "testing/plugin.hpp"

#endif
