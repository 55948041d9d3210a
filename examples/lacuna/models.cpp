// lacuna models: the registry, for people.
#include "commands.hpp"
#include "lacuna/zoo/registry.hpp"
#include "support/program.hpp"

namespace program {
namespace {

using namespace lacuna;

void list() {
  for (const zoo::Entry& entry : zoo::registry().entries()) {
    std::printf("%-32s %s\n", entry.name.c_str(), entry.what.c_str());
    for (const zoo::Variant& variant : entry.variants)
      std::printf("  %-30s %s\n", (entry.name + "-" + variant.name).c_str(), variant.what.c_str());
  }
}

void explain(const std::string& name) {
  const auto [entry, variant] = zoo::registry().find(name);
  std::printf("%s: %s\n", name.c_str(), entry->what.c_str());
  if (!entry->paper.empty()) std::printf("paper: %s\n", entry->paper.c_str());
  std::printf("labels: %s\n", entry->real_labels && entry->class_ids ? "real numbers or classes"
                              : entry->real_labels                   ? "real numbers"
                                                                     : "classes");
  for (const zoo::Variant& one : entry->variants)
    std::printf("  %-30s %s\n", (entry->name + "-" + one.name).c_str(), one.what.c_str());
  const auto options = zoo::registry().options(name);
  if (!options.empty()) std::printf("options, with the values they have by themselves:\n");
  for (const zoo::OptionInfo& option : options)
    std::printf("  %-36s %s\n", (option.name + "=" + option.value).c_str(), option.help.c_str());
}

}  // namespace

int models(const Call& call) {
  std::vector<std::string> names;
  CLI::App app("Lists the models that can be named; of those that are named all options.", "lacuna models");
  app.add_option("model", names, "models to explain");
  return support::run("lacuna models", app, call.argc, call.argv, [] {}, [&] {
    if (names.empty()) list();
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (i) std::putchar('\n');
      explain(names[i]);
    }
    return 0;
  });
}

}  // namespace program
