// lacuna COMMAND [options]: which command is meant.
#include "commands.hpp"

#include <cstdio>
#include <exception>
#include <string>

#include "lacuna/io/hdf5_fault.hpp"
#include "lacuna/zoo/card.hpp"
#include "support/program.hpp"

namespace {

struct Command {
  const char *name, *what;
  int (*run)(const program::Call&);
};
constexpr Command commands[] = {
    {"train", "train a model, and show how it does with and without each modality", program::train},
    {"predict", "predictions of a trained model for a data set, whichever modalities it has", program::predict},
    {"ensemble", "several trained models as one file, whose answer is the mean of theirs", program::ensemble},
    {"experiment", "compare models x seeds x protocols, the same masks for all", program::experiment},
    {"report", "the tables of a folder of results again, in the terminal and as a page", program::report},
    {"describe", "what is in a data set or a file of weights: sizes, lengths, labels, what is missing",
     program::describe},
    {"convert", "data sets and weights of other programs as .npz or safetensors", program::convert},
    {"extract", "sound to streams: audio features, and the text that a language model hears", program::extract},
    {"models", "the models that can be named, their variants and options", program::models},
    {"replay", "a published model on given parameters and inputs, number by number", program::replay},
};

void usage(std::FILE* to) {
  std::fputs("usage: lacuna COMMAND [options]\n\n", to);
  for (const Command& command : commands) std::fprintf(to, "  %-11s %s\n", command.name, command.what);
  std::fputs(
      "  version     versions of the program and of what it is made of\n\n"
      "lacuna COMMAND --help explains all options of a command.\n",
      to);
}

int run(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name.empty() || name == "help" || name == "--help" || name == "-h") {
    usage(name.empty() ? stderr : stdout);
    return name.empty() ? 2 : 0;
  }
  if (name == "version" || name == "--version") {
    if (argc > 2) return support::fail("lacuna", std::string("version takes no '") + argv[2] + "'", 2);
    std::printf("%s\n", name == "version" ? lacuna::zoo::versions().c_str() : support::version().c_str());
    return 0;
  }
  for (const Command& command : commands)
    if (name == command.name) return command.run({argc - 1, argv + 1, support::quoted(argc, argv)});
  return support::fail("lacuna", "there is no command '" + name + "'; lacuna --help lists them", 2);
}

}  // namespace

int program::run_command(int argc, char** argv) {
  support::keep_standard_streams();
  lacuna::io::end_where_hdf5_breaks_down("lacuna");
  try {
    support::wait_briefly(argv);
    return support::flushed("lacuna", run(argc, argv));
  } catch (const std::exception&) {  // commands tell their own errors: this is memory, before one has begun
    std::fputs("lacuna: not enough memory\n", stderr);
    return 1;
  }
}
