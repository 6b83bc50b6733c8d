#pragma once

namespace orderd::plugins::isolation {

/// What orderd-plugin-runner does with its end of the socket: makes the instance that it is told to make,
/// hands it what comes, and sends back what it says, until it is told to stop or the host is gone. Returns
/// the exit status.
int serve(int descriptor);

}  // namespace orderd::plugins::isolation
