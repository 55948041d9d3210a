/// What `Replay<D>` (replay.hpp) does on a device whose work can be recorded: the first call runs the body as it is, the
/// second records it, and from then on the recording is launched.
///
/// `Graph` records what the calling thread asks of the device:
///     Pool, with an Arena               where the device's memory comes from (caching_pool.hpp)
///     static bool possible()            false: every call runs its body
///     void begin(), end()               work is recorded in between, and not done; end() makes it ready to be launched
///     void abandon()                    after begin(): nothing was recorded
///     void launch(), drop()             drop() waits for what was launched
///     bool made() const, std::size_t nodes() const
#pragma once

#include <cstdint>
#include <optional>

#include "lacuna/core/random.hpp"
#include "lacuna/core/recorded.hpp"

namespace lacuna::detail {

template <class D, class Graph>
class GraphReplay {
 public:
  static constexpr bool records = true;

  GraphReplay() = default;
  GraphReplay(const GraphReplay&) = delete;
  GraphReplay& operator=(const GraphReplay&) = delete;
  ~GraphReplay() { reset(); }

  /// Whether the recording was launched; else the body ran: in the first call, and where the host answers other than
  /// when it was recorded. The third such call in a row is recorded anew.
  template <class F>
  bool operator()(Random& random, F&& body) {
    if (recorded() && random.key() != key_) reset();  // another source: its key is part of the recording
    if (!recorded() && (calls_++ == 0 || !Graph::possible())) {
      body();
      return false;
    }
    bool first = !recorded();
    if (!first && !questions_.hold()) {
      if (++missed_ < 3) {
        body();
        return false;
      }
      reset();  // the batch that was recorded was the odd one
      first = true;
    }
    missed_ = 0;
    const std::uint64_t now = random.next();
    if (first) record(random, body);
    const std::uint64_t ahead = now - first_stream_;
    D::copy_from_host(ahead_, &ahead, sizeof(ahead));
    graph_.launch();
    if (!first) random.skip(streams_);
    return true;
  }
  void reset() {
    if (recorded()) graph_.drop();
    arena_.reset();
    questions_.clear();
    if (ahead_ != nullptr) D::deallocate(ahead_, sizeof(std::uint64_t));
    ahead_ = nullptr;
    calls_ = 0;
  }
  bool recorded() const { return graph_.made(); }
  /// Kernels and copies of the recording.
  std::size_t nodes() const { return graph_.nodes(); }

 private:
  using Pool = typename Graph::Pool;

  /// Everything back in its place, also when the body throws.
  struct Recording {
    Recording(GraphReplay& replay, Random& source) : own(replay), random(source) {
      own.graph_.begin();
      own.arena_->enter();
      HostQuestions::now() = &own.questions_;
      random.run_ahead(own.ahead_);
    }
    ~Recording() {
      Pool::Arena::leave();
      HostQuestions::now() = nullptr;
      random.run_ahead(nullptr);
      if (!ended) own.graph_.abandon();
    }
    GraphReplay& own;
    Random& random;
    bool ended = false;
  };

  template <class F>
  void record(Random& random, F& body) {
    Pool::instance().trim();  // what the first run kept, in its classes, is of no use to the recording
    if (ahead_ == nullptr) ahead_ = static_cast<std::uint64_t*>(D::allocate(sizeof(std::uint64_t)));
    arena_.emplace();
    questions_.clear();
    key_ = random.key();
    first_stream_ = random.next();
    try {
      Recording recording(*this, random);
      body();
      recording.ended = true;
      graph_.end();
    } catch (...) {
      random = Random(key_, first_stream_);
      arena_.reset();
      throw;
    }
    streams_ = random.next() - first_stream_;
  }

  Graph graph_;
  std::optional<typename Pool::Arena> arena_;
  HostQuestions questions_;
  std::uint64_t* ahead_ = nullptr;
  std::uint64_t key_ = 0, first_stream_ = 0, streams_ = 0;
  int calls_ = 0, missed_ = 0;
};

}  // namespace lacuna::detail
