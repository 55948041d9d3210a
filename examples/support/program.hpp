// What every program here does the same way: one line on standard error and a non-zero exit status when something is
// wrong. 0: done. 1: a file or the data are not as they should be. 2: the command line is not. 130, 143: interrupted.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "lacuna/core/error.hpp"
#include "lacuna/io/hdf5_fault.hpp"
#include "lacuna/io/utf8.hpp"
#include "lacuna/version.hpp"
#include "numbers.hpp"

namespace support {

inline std::string version() {
  return lacuna::detail::cat(LACUNA_VERSION_MAJOR, ".", LACUNA_VERSION_MINOR, ".", LACUNA_VERSION_PATCH);
}

/// Text of unknown origin, a file name or an array's, for a terminal or a file of text: what is no UTF-8, and what would move
/// the cursor, as \xNN.
inline std::string printable(const std::string& text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const std::int64_t code = lacuna::detail::next_utf8(text, at);
    if (code >= 32 && (code < 0x7F || code > 0x9F) && (code < 0xD800 || code > 0xDFFF)) {
      safe.append(text, begin, at - begin);
      continue;
    }
    const std::size_t end = code < 0 ? (at = begin + 1) : at;
    for (std::size_t i = begin; i < end; ++i) {
      char byte[5];
      std::snprintf(byte, sizeof byte, "\\x%02x", static_cast<unsigned char>(text[i]));
      safe += byte;
    }
  }
  return safe;
}

inline int fail(const char* program, const std::string& message, int status) {
  std::string line = message;
  for (char& c : line)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  while (!line.empty() && line.back() == ' ') line.pop_back();
  std::fprintf(stderr, "%s: %s\n", program, printable(line).c_str());
  return status;
}

/// Before anything is opened: where the caller has closed one of the three streams, the next file would get its number, and
/// what is printed would end in that file. Writing to a standard output that was closed fails, and is reported.
inline void keep_standard_streams() {
  for (const int number : {0, 1, 2}) {
    if (::fcntl(number, F_GETFD) != -1 || errno != EBADF) continue;
    (void)::open("/dev/null", number == 1 ? O_RDONLY : O_RDWR);  // the lowest number that is free: this one
  }
  for (const int what : {SIGPIPE, SIGXFSZ}) std::signal(what, SIG_IGN);  // failed writes, which are reported
}

/// A result that could not be written is an error.
inline int flushed(const char* program, int status) {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return status;
  if (errno == 0) {  // it failed while more was being printed: a line more fails for the same reason
    std::clearerr(stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  const std::string reason = errno != 0 ? std::string(": ") + std::strerror(errno) : std::string();
  return fail(program, "standard output cannot be written" + reason, status != 0 ? status : 1);
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
    check_environment();
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
  keep_standard_streams();
  lacuna::io::end_where_hdf5_breaks_down(program);
  wait_briefly(argv);
  return flushed(program, run(
                              program, app, argc, argv, [] {}, body));
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
