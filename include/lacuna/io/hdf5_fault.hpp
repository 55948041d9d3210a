/// Where the C library of HDF5 breaks down. It does not check every address that a file holds (1.10.8: one close to 2^64 is
/// read from), and no caller can check them all before it does. A program can say so, in the place of "Segmentation fault":
///
///     io::end_where_hdf5_breaks_down("program");   // once, early in main
///
/// A fatal signal inside of a call of HDF5 then prints "program: FILE: the HDF5 library broke down (signal 11): ..." on standard
/// error and ends the process with status 1, without destructors. Other signals do what they did before; handlers that
/// somebody has set, a sanitizer's among them, stay. Who must go on after such a file reads it in a process of its own.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <initializer_list>

namespace lacuna::detail {

/// The file that this thread reads by the C library now, or none.
inline thread_local const char* hdf5_file = nullptr;

/// What a handler of signals may do: it writes, from memory that is there already.
class Hdf5Fault {
 public:
  static const char*& program() {
    static const char* name = "";
    return name;
  }
  static void handle(int signal) {
    if (hdf5_file == nullptr) {
      ::signal(signal, SIG_DFL);
      ::raise(signal);
      return;
    }
    const char digits[] = {char('0' + signal / 10), char('0' + signal % 10), '\0'};
    for (const char* text :
         {program(), ": ", hdf5_file, ": the HDF5 library broke down (signal ", digits + (signal < 10),
          "): the file is damaged; h5repack, or a newer HDF5, may say where"})
      put(text);
    (void)!::write(2, "\n", 1);
    ::_exit(1);
  }

 private:
  /// One line, whatever the name of the file holds.
  static void put(const char* text) {
    char line[256];
    while (*text != '\0') {
      std::size_t size = 0;
      for (; size < sizeof line && *text != '\0'; ++text) {
        const auto byte = static_cast<unsigned char>(*text);
        line[size++] = byte < 32 || byte == 127 ? '?' : *text;
      }
      for (std::size_t done = 0; done < size;) {
        const ssize_t written = ::write(2, line + done, size - done);
        if (written <= 0) return;
        done += std::size_t(written);
      }
    }
  }
};

}  // namespace lacuna::detail

namespace lacuna::io {

/// See above. `program` must outlive the process's reading: a literal. Not for libraries: handlers belong to the whole process.
inline void end_where_hdf5_breaks_down(const char* program) {
  detail::Hdf5Fault::program() = program;
  static char stack[1 << 16];  // where the fault is that there is no stack left
  stack_t room{};
  room.ss_sp = stack;
  room.ss_size = sizeof stack;
  ::sigaltstack(&room, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL ||
        (before.sa_flags & SA_SIGINFO) != 0)
      continue;
    struct sigaction action {};
    action.sa_handler = detail::Hdf5Fault::handle;
    action.sa_flags = SA_ONSTACK;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace lacuna::io
