// A configuration file of the programs.
#include <sstream>

#include "support/numbers.hpp"
#include "support/program.hpp"

namespace {

struct Config {
  std::vector<std::uint64_t> seeds;
  int threads = 0;
  double seconds = 10;
  std::string model;
  std::vector<std::string> protocols;
  CLI::App app{"fuzz", "fuzz"};

  Config() {
    support::number_option(app, "--seeds", seeds, "");
    support::number_option(app, "--threads", threads, "", {0, support::most_threads});
    support::number_option(app, "--save-seconds", seconds, "", {0, 1e9});
    support::list_option(app, "--protocols", protocols, "");
    app.add_option("--model", model, "");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Config config;
  std::istringstream file(std::string(reinterpret_cast<const char*>(data), size));
  config.seeds = {1}, config.threads = 0, config.seconds = 10;
  try {
    config.app.parse_from_stream(file);
  } catch (const CLI::Error&) {
  } catch (const lacuna::Error&) {
  }
  if (config.threads < 0 || config.threads > support::most_threads || !(config.seconds >= 0)) std::abort();
  return 0;
}
