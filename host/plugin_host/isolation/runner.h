#pragma once

namespace orderd::plugins::isolation {

/// What orderd-plugin-runner does with its end of the socket: makes the instance that the first frame
/// describes, hands it what comes, and sends back what it says, until a frame says stop or the host is gone.
/// Returns the exit status.
int serve(int descriptor);

}  // namespace orderd::plugins::isolation
