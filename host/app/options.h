#pragma once
// What single parts of a host are made with, out of the settings.
#include "auth/keyring.h"
#include "config/settings.h"
#include "http/front/front.h"
#include "http/request_guard.h"
#include "intake/intake.h"
#include "sse/broadcaster.h"

namespace orderd {

/// Sessions whose answers clients wait for.
store::ConnectionOptions database_for_clients(const config::Settings& settings);
intake::IntakeOptions intake_options(const config::Settings& settings);
http::AccessOptions access_options(const config::Settings& settings, const auth::Keyring* keyring);
http::front::Options front_options(const config::Settings& settings);
/// Health and numbers, on a port of their own.
http::front::Options monitoring_options(const config::Settings& settings);
sse::BroadcasterOptions stream_options(const config::Settings& settings);

}  // namespace orderd
