/// Stacks that take turns within one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#if defined(__x86_64__)
#define LACUNA_TEST_OWN_SWITCH
#else
#include <ucontext.h>
#endif
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

#ifdef LACUNA_TEST_OWN_SWITCH
namespace detail {

/// Puts what a callee must keep on the stack and the place of that into *from, goes on where `to` was left.
/// swapcontext does the same and asks the kernel for the signal mask, twice a switch: two thirds of the time of the
/// tests.
[[gnu::naked, gnu::noinline]] inline void switch_stacks(void** /*from: rdi*/, void* /*to: rsi*/) {
  asm("pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\tmovq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}

}  // namespace detail
#endif

/// A stack with a function of no return on it. `enter` goes there from the stack of the thread, `leave` comes back.
class Fiber {
 public:
  static constexpr std::size_t size = 64 * 1024;

  /// `body` never returns; it starts with the first `enter`.
  void start(void (*body)()) {
#ifdef LACUNA_TEST_OWN_SWITCH
    constexpr std::size_t kept = 6;
    auto* const top = reinterpret_cast<void**>((reinterpret_cast<std::uintptr_t>(stack_.get()) + size) / 16 * 16);
    void** const place = top - 2 - kept;  // as after a call: registers, where to return to, and no caller
    for (std::size_t i = 0; i < kept; ++i) place[i] = nullptr;
    place[kept] = reinterpret_cast<void*>(body);
    place[kept + 1] = nullptr;
    inside_ = place;
#else
    fill(&inside_);
    inside_.uc_stack.ss_sp = stack_.get();
    inside_.uc_stack.ss_size = size;
    makecontext(&inside_, body, 0);
#endif
  }
  void enter() {
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(nullptr, stack_.get(), size);
#endif
#ifdef LACUNA_TEST_OWN_SWITCH
    detail::switch_stacks(&outside_, inside_);
#else
    swapcontext(&outside_, &inside_);
#endif
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
#ifdef LACUNA_TEST_OWN_SWITCH
    detail::switch_stacks(&inside_, outside_);
#else
    swapcontext(&inside_, &outside_);
#endif
    arrived();
  }

 private:
  std::unique_ptr<std::byte[]> stack_{new std::byte[size]};
#ifdef LACUNA_TEST_OWN_SWITCH
  void *inside_ = nullptr, *outside_ = nullptr;
#else
  /// Apart, because a function that calls getcontext may be returned to twice: not here, where a fiber starts
  /// elsewhere.
  [[gnu::noinline]] static void fill(ucontext_t* context) { getcontext(context); }
  ucontext_t inside_{}, outside_{};
#endif
#ifdef LACUNA_TEST_ADDRESS_SANITIZER
  const void* outside_bottom_ = nullptr;
  std::size_t outside_size_ = 0;
#endif
};

}  // namespace lacuna::test
