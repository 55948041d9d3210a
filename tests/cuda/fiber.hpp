/// Stacks that take turns within one thread.
#pragma once

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
#endif

namespace lacuna::test {

/// A stack with a function of no return on it. `enter` goes there from the stack of the thread, `leave` comes back.
/// AddressSanitizer is told of every change: it would take the other stack for an overflow of this one.
class Fiber {
 public:
  static constexpr std::size_t size = 64 * 1024;

  /// `body` never returns; it starts with the first `enter`.
  void start(void (*body)()) {
    fill(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = size;
    makecontext(&inside_, body, 0);
  }
  void enter() {
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(nullptr, stack_.get(), size);
#endif
    swapcontext(&outside_, &inside_);
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
  }
  /// First of all on the new stack.
  void arrived() {
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(nullptr, &outside_bottom_, &outside_size_);
#endif
  }
  void leave() {
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(nullptr, outside_bottom_, outside_size_);
#endif
    swapcontext(&inside_, &outside_);
    arrived();
  }

 private:
  /// Apart, because a function that calls getcontext may be returned to twice: not here, where a fiber starts
  /// elsewhere.
  [[gnu::noinline]] static void fill(ucontext_t* context) { getcontext(context); }

  std::unique_ptr<std::byte[]> stack_{new std::byte[size]};
  ucontext_t inside_{}, outside_{};
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
#endif
};

}  // namespace lacuna::test
