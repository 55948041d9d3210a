/// NAME --seconds S --threads N and nothing else, for programs that are built where CLI11 is not.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace bench {

struct Arguments {
  std::string workload;
  double seconds = 10;
  int threads = 2;

  Arguments(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word.rfind("--", 0) != 0 && workload.empty()) {
        workload = word;
        continue;
      }
      char* rest = nullptr;
      const double number = i + 1 < argc ? std::strtod(argv[++i], &rest) : -1;
      const bool good = rest != nullptr && *rest == '\0' && rest != argv[i] && number >= 0;
      if (good && word == "--seconds")
        seconds = number;
      else if (good && word == "--threads")
        threads = int(number);
      else
        refuse(argv[0]);
    }
    if (workload.empty()) refuse(argv[0]);
  }
  [[noreturn]] static void refuse(const char* program) {
    std::fprintf(stderr, "usage: %s WORKLOAD [--seconds S] [--threads N]\n", program);
    std::exit(2);
  }
};

}  // namespace bench
