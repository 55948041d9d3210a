// A command line, one word a line, and every word as a model with its options. Made once and parsed again and again, as making it
// costs more than all that is looked for.
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

struct Line {
  std::vector<std::uint64_t> seeds;
  int threads = 0;
  double seconds = 10;
  bool quiet = false;
  CLI::App app{"fuzz", "fuzz"};

  Line() {
    support::number_option(app, "--seeds", seeds, "");
    support::number_option(app, "--threads", threads, "", {0, support::most_threads});
    support::number_option(app, "--save-seconds", seconds, "", {0, 1e9});
    app.add_flag("--quiet", quiet, "");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lacuna;
  static Line line;
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> words;  // CLI11 takes them from the last on
  for (std::size_t at = 0, end; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    words.insert(words.begin(), text.substr(at, end - at));
  }
  for (const std::string& word : words) try {
      Options options;
      (void)zoo::apply_settings(zoo::parse_model(word).settings, options);
    } catch (const Error&) {
    }
  line.seeds = {1}, line.threads = 0, line.seconds = 10;
  try {
    line.app.parse(words);
  } catch (const CLI::Error&) {
  } catch (const Error&) {
  }
  if (line.threads < 0 || line.threads > support::most_threads || !(line.seconds >= 0)) std::abort();
  (void)support::printable(text);
  return 0;
}
