/// A graph of work for devices on the host: kernels, products, copies and fills are noted with the arguments that they
/// were given by value, and done when the graph is launched, as a GPU does with a recorded stream.
///
/// A device that can be recorded asks `Tape::takes` before it does anything:
///
///     static void copy(void* to, const void* from, std::size_t bytes) {
///       if (!Tape::takes([=] { std::memcpy(to, from, bytes); })) std::memcpy(to, from, bytes);
///     }
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <type_traits>
#include <vector>

#include "lacuna/core/recorded.hpp"
#include "lacuna/core/shape.hpp"

namespace lacuna::test {

class Tape {
 public:
  /// What the calling thread records on; null where work is done.
  static Tape*& now() {
    static constinit thread_local Tape* recording = nullptr;
    return recording;
  }
  template <class F>
  static bool takes(F work) {
    if (now() == nullptr) return false;
    now()->work_.push_back(std::move(work));
    return true;
  }
  /// A kernel: again(name, n, shared, body). One function for all bodies, of which there are many.
  using Again = void (*)(const char* name, index_t n, std::size_t shared, const void* body);
  template <class Body>
  static bool takes_kernel(Again again, const char* name, index_t n, std::size_t shared, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>, "a GPU is given the bytes of a kernel's body");
    return now() != nullptr && now()->keep(again, name, n, shared, &body, sizeof(Body));
  }
  /// What a recorded step must not do.
  static void refuse(const char* what) {
    if (now() != nullptr) throw NotReplayable(std::string(what) + " inside a recorded step");
  }

  void launch() const {
    for (const auto& one : work_) one();
  }
  void clear() { work_.clear(); }
  std::size_t size() const { return work_.size(); }

 private:
  bool keep(Again again, const char* name, index_t n, std::size_t shared, const void* body, std::size_t bytes) {
    const auto* const from = static_cast<const std::byte*>(body);
    std::vector<std::byte> own(from, from + bytes);
    work_.push_back([=, own = std::move(own)] { again(name, n, shared, own.data()); });
    return true;
  }
  std::vector<std::function<void()>> work_;
};

/// What GraphReplay records with, over the memory of `P`, a CachingPool; `Launched::replays(tape)` launches it, and counts that.
template <class P, class Launched>
class TapeGraph {
 public:
  using Pool = P;

  static bool possible() { return true; }
  void begin() { Tape::now() = &tape_; }
  void end() {
    Tape::now() = nullptr;
    made_ = true;
  }
  void abandon() {
    Tape::now() = nullptr;
    tape_.clear();
  }
  void launch() { Launched::replays(tape_); }
  void drop() {
    tape_.clear();
    made_ = false;
  }
  bool made() const { return made_; }
  std::size_t nodes() const { return tape_.size(); }

 private:
  Tape tape_;
  bool made_ = false;
};

}  // namespace lacuna::test
