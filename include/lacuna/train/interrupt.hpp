/// SIGINT and SIGTERM as a flag: the program goes on to the next safe point and checks it there.
#pragma once

#include <csignal>

namespace lacuna::train {

/// While one lives, the first of these signals is noted; the second one ends the program at once, as by
/// default.
class Interrupt {
 public:
  Interrupt() {
    noted() = 0;
    struct sigaction action {};
    action.sa_handler = [](int number) { noted() = number; };
    action.sa_flags = int(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &old_interrupt_);
    ::sigaction(SIGTERM, &action, &old_terminate_);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt() {
    ::sigaction(SIGINT, &old_interrupt_, nullptr);
    ::sigaction(SIGTERM, &old_terminate_, nullptr);
  }

  /// 0, SIGINT or SIGTERM.
  int signal() const { return noted(); }
  /// What a shell expects of a program that a signal ended: 130 or 143.
  int exit_status() const { return 128 + signal(); }

 private:
  static volatile std::sig_atomic_t& noted() {
    static volatile std::sig_atomic_t number = 0;
    return number;
  }

  struct sigaction old_interrupt_ {
  }, old_terminate_{};
};

}  // namespace lacuna::train
