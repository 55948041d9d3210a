// A command line (one word a line) and, behind an empty line, a configuration file; and every word as a model with its options.
#include <sstream>

#include "lacuna/zoo/spec.hpp"
#include "support/numbers.hpp"
#include "support/program.hpp"

namespace {

struct Options {
  bool flag = false;
  float rate = 0;
  lacuna::index_t epochs = 0;
  std::vector<lacuna::index_t> sizes;
  static void reflect(auto& self, auto&& visit) {
    visit("flag", self.flag), visit("rate", self.rate), visit("epochs", self.epochs), visit("sizes", self.sizes);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::size_t gap = std::min(text.find("\n\n"), text.size());
  std::vector<std::string> words;
  std::istringstream lines(text.substr(0, gap));
  for (std::string line; std::getline(lines, line);) words.insert(words.begin(), line);
  for (const std::string& word : words) try {
      Options options;
      (void)zoo::apply_settings(zoo::parse_model(word).settings, options);
    } catch (const Error&) {
    }
  std::vector<std::uint64_t> seeds{1};
  int threads = 0;
  double seconds = 10;
  bool quiet = false;
  CLI::App app("fuzz", "fuzz");
  support::number_option(app, "--seeds", seeds, "");
  support::number_option(app, "--threads", threads, "", {0, support::most_threads});
  support::number_option(app, "--save-seconds", seconds, "", {0, 1e9});
  app.add_flag("--quiet", quiet, "");
  try {
    app.parse(words);
  } catch (const CLI::Error&) {
  } catch (const Error&) {
  }
  std::istringstream config(text.substr(gap));
  try {
    app.parse_from_stream(config);
  } catch (const CLI::Error&) {
  } catch (const Error&) {
  }
  if (threads < 0 || threads > support::most_threads || !(seconds >= 0)) std::abort();
  (void)support::printable(text);
  return 0;
}
