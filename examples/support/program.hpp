// What every program here does the same way: one line on standard error and a non-zero exit status when something is
// wrong. 0: done. 1: a file or the data are not as they should be. 2: the command line is not. 130, 143: interrupted.
#pragma once

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/version.hpp"

namespace support {

inline std::string version() {
  return lacuna::detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH);
}

inline int fail(const char* program, const std::string& message, int status) {
  std::string line = message;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  while (!line.empty() && line.back() == ' ') line.pop_back();
  std::fprintf(stderr, "%s: %s\n", program, line.c_str());
  return status;
}

/// A thread that waits for others spins first, with GCC's OpenMP for milliseconds. Beside another busy program it then
/// holds the very core that the others need, and a training takes several times as long. Here it spins some 20 us,
/// which costs little on an idle machine (docs/research/performance.md). OpenMP reads its environment before main, so the
/// program starts itself once more. Who has set either variable has decided.
inline void wait_briefly(char** argv) {
#ifdef _OPENMP
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || std::getenv("GOMP_SPINCOUNT") != nullptr) return;
  std::error_code unknown;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", unknown);  // for its name's sake
  // It comes back only when there is no such file: then everything stays as it was.
  if (!unknown && ::setenv("GOMP_SPINCOUNT", "1000", 1) == 0) ::execv(self.c_str(), argv);
#else
  (void)argv;
#endif
}

/// Declares options, parses the command line, then runs the body, which returns the exit status.
template <class Declare, class Body>
int run(const char* program, CLI::App& app, int argc, char** argv, Declare&& declare, Body&& body) {
  try {
    declare();
    app.parse(argc, argv);
    return body();
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    return fail(program, std::string(error.what()) + "; " + program + " --help explains all options", 2);
  } catch (const lacuna::OptionError& error) {
    return fail(program, error.what(), 2);
  } catch (const std::bad_alloc&) {
    return fail(program, "not enough memory", 1);
  } catch (const std::exception& error) {
    return fail(program, error.what(), 1);
  }
}

/// The same for a program that is started as such, with its options declared.
template <class Body>
int run(const char* program, CLI::App& app, int argc, char** argv, Body&& body) {
  wait_briefly(argv);
  return run(program, app, argc, argv, [] {}, body);
}

/// The words of a command line as a shell would read them.
inline std::string quoted(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    std::string word = argv[i];
    if (word.empty() ||
        word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%") !=
            std::string::npos) {
      std::string inner;
      for (const char c : word) inner += c == '\'' ? std::string("'\\''") : std::string(1, c);
      word = "'" + inner + "'";
    }
    line += (i ? " " : "") + word;
  }
  return line;
}

}  // namespace support
