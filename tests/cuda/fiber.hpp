/// Stacks that take turns within one thread.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cstddef>
#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#define LACUNA_TEST_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LACUNA_TEST_ADDRESS_SANITIZER
#endif
#endif
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
#include <sanitizer/common_interface_defs.h>
#else
/// longjmp as it is: with _FORTIFY_SOURCE another one has its name, which refuses to go to other stacks.
extern "C" [[noreturn]] void lacuna_test_jump(struct __jmp_buf_tag*, int) noexcept __asm__("_longjmp");
#endif

namespace lacuna::test {

/// A stack with a function of no return on it. `enter` goes there from the stack of the thread, `leave` comes back.
/// The first time by ucontext, then by jumps: a change of context asks the system for the mask of signals, which took
/// two thirds of the time of the emulated device. AddressSanitizer is told of every change: it would take the other stack
/// for an overflow of this one; its jumps forget more than that, so that under it all changes are ucontext's.
class Fiber {
 public:
  static constexpr std::size_t size = 64 * 1024;

  /// `body` never returns; it starts with the first `enter`.
  void start(void (*body)()) {
    fill(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = size;
    makecontext(&inside_, body, 0);
    started_ = false;
  }
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
  void enter() {
    __sanitizer_start_switch_fiber(nullptr, stack_.get(), size);
    swapcontext(&outside_, &inside_);
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
  }
  /// First of all on the new stack.
  void arrived() { __sanitizer_finish_switch_fiber(nullptr, &outside_bottom_, &outside_size_); }
  void leave() {
    __sanitizer_start_switch_fiber(nullptr, outside_bottom_, outside_size_);
    swapcontext(&inside_, &outside_);
    arrived();
  }
#else
  [[gnu::noinline]] void enter() {
    if (_setjmp(back_) != 0) return;
    if (started_) lacuna_test_jump(there_, 1);
    started_ = true;
    setcontext(&inside_);
  }
  void arrived() {}
  [[gnu::noinline]] void leave() {
    if (_setjmp(there_) == 0) lacuna_test_jump(back_, 1);
  }
#endif

 private:
  /// Apart, because a function that calls getcontext may be returned to twice: not here, where a fiber starts
  /// elsewhere.
  [[gnu::noinline]] static void fill(ucontext_t* context) { getcontext(context); }

  std::unique_ptr<std::byte[]> stack_{new std::byte[size]};
  ucontext_t inside_{};
  bool started_ = false;
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
  ucontext_t outside_{};
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
#else
  jmp_buf back_{}, there_{};
#endif
};

}  // namespace lacuna::test
