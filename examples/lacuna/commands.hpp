// The commands of the program, the CMake target lacuna_commands, which any program may link:
//
//   int main(int argc, char** argv) {
//     lacuna::zoo::add<MyModel>("mine", "what it is");
//     return program::run_command(argc, argv);
//   }
//
// has them all, with its own model among those of the library (examples/own_program.cpp). argv[0] is "lacuna COMMAND" where messages name it; whole: the command line as it was.
#pragma once

#include <string>

namespace program {

/// What a command is called with.
struct Call {
  int argc;
  char** argv;
  std::string whole;  ///< the whole command line as a shell would read it
};

/// What main returns: 0, 1 (failed), 2 (asked for something that is not there), 130 (Ctrl-C).
int run_command(int argc, char** argv);

int train(const Call& call);
int experiment(const Call& call);
int predict(const Call& call);
int ensemble(const Call& call);
int report(const Call& call);
int describe(const Call& call);
int convert(const Call& call);
int extract(const Call& call);
int models(const Call& call);
int replay(const Call& call);

}  // namespace program
