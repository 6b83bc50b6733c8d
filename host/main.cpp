// orderd: one process of the order system. What it is made of: app/server.cpp.
#include <Poco/Util/ServerApplication.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "app/database_start.h"
#include "app/server.h"
#include "app/wiring.h"
#include "base/service.h"
#include "http/front/listener.h"

extern char** environ;

namespace {
using namespace orderd;

constexpr int exit_usage = 64, exit_unavailable = 69, exit_software = 70, exit_permission = 77,
              exit_config = 78;  // sysexits.h

class Program final : public Poco::Util::ServerApplication {
  void defineOptions(Poco::Util::OptionSet& options) override {
    using Poco::Util::Option;
    options.addOption(Option("config", "", "the properties file").argument("FILE"));
    options.addOption(Option("check-config", "", "load everything, start nothing"));
    options.addOption(Option("version", "", "print the version"));
    options.addOption(Option("help", "", "print this"));
  }
  void handleOption(const std::string& name, const std::string& value) override { given_[name] = value; }
  int main(const std::vector<std::string>& words) override {
    if (given_.contains("version")) return std::cout << "orderd " << version << "\n", 0;
    const bool help = given_.contains("help");
    if (help || !words.empty())
      return std::cout << "usage: orderd --config=FILE [--check-config]\n", help ? 0 : exit_usage;
    service::block_signals();
    int otherwise = exit_config;
    try {
      Reload reload(given_.contains("config") ? given_["config"] : config::default_file().string(), environ);
      return serve(reload, {given_.contains("check-config"), [&] { otherwise = exit_software; }});
    } catch (const http::front::PortInUse& error) {
      return fail(error.what(), exit_unavailable);
    } catch (const NoPermission& error) {
      return fail(error.what(), exit_permission);
    } catch (const std::exception& error) { return fail(error.what(), otherwise); }
  }

  /// One line: what is wrong, where, what to do.
  static int fail(std::string line, int status) {
    std::replace(line.begin(), line.end(), '\n', ' ');  // libpq's messages have several
    service::status(line);
    std::cerr << "orderd: " << line << "\n";
    return status;
  }
  std::map<std::string, std::string> given_;
};

}  // namespace

POCO_SERVER_MAIN(Program)
