// lacuna report: the results of a folder again, of `train` and of `experiment` alike.
#include "commands.hpp"
#include "results.hpp"
#include "support/program.hpp"

namespace program {

int report(const Call& call) {
  std::string path;
  bool html = false;
  CLI::App app("Shows the tables of a folder of results again.", "lacuna report");
  app.add_option("folder", path, "what --out named: the folder that train or experiment wrote")->required();
  app.add_flag("--html", html, "write its report.html again instead");
  return support::run(
      "lacuna report", app, call.argc, call.argv, [] {},
      [&] {
        const Folder folder(path);
        if (html)
          report_again(folder);
        else
          std::fputs(terminal_text(load_results(folder)).c_str(), stdout);
        return 0;
      });
}

}  // namespace program
