// The commands of the program. argv[0] is "lacuna COMMAND" where messages name it; whole: the command line as it was.
#pragma once

#include <string>

namespace program {

/// What a command is called with.
struct Call {
  int argc;
  char** argv;
  std::string whole;  ///< the whole command line as a shell would read it
};

int train(const Call& call);
int experiment(const Call& call);
int predict(const Call& call);
int report(const Call& call);
int describe(const Call& call);
int convert(const Call& call);
int extract(const Call& call);
int models(const Call& call);
int replay(const Call& call);

}  // namespace program
