// --dry-run: what would be trained in every phase, how large it is, and how long an epoch of it takes.
#pragma once

#include <chrono>

#include "lacuna/lab/system.hpp"
#include "options.hpp"

namespace program {

/// What a run has to do.
struct Work {
  std::string program;  ///< named by messages
  Data data;
  std::vector<lacuna::lab::System> systems = {};
  lacuna::lab::Plan plan = {};
  lacuna::train::Targets targets = {};
  std::vector<std::string> metrics = {};
  std::string reference = {};
  bool replaces = false;  ///< a finished run with the same options is replaced, not refused
};

/// One phase, as far as it was tried.
struct Rehearsed {
  std::string phase;
  index_t epochs = 0, samples = 0, batches = 0, numbers = 0;  ///< `numbers`: that it trains
  double seconds = 0;                                         ///< of an epoch
};

/// Tries each phase for a first epoch, or for some seconds of one, and goes on to the next.
class Rehearsal : public lacuna::train::Observer {
 public:
  void batch(const lacuna::train::BatchReport& report) override {
    const std::string phase = report.phase.empty() ? "training" : report.phase;
    const auto now = Clock::now();
    share_ = double(report.samples) / double(report.of);
    if (tried_.empty() || tried_.back().phase != phase) {
      last_ = report.phase.empty();
      first_ = share_;
      begin_ = now;
      tried_.push_back({phase, report.epochs, report.of, (report.of + report.samples - 1) / report.samples,
                        report.numbers, std::chrono::duration<double>(now - asked_).count() / share_});
    }
    seconds_ = std::chrono::duration<double>(now - begin_).count();
    // The first batch fetches memory, which no other has to.
    if (share_ > first_) tried_.back().seconds = seconds_ / (share_ - first_);
  }
  bool skip() override { return !last_ && take_done(); }
  bool stop() override {
    asked_ = Clock::now();
    return last_ && take_done();
  }
  const std::vector<Rehearsed>& phases() const { return tried_; }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double enough = 2;  ///< seconds of a phase

  bool take_done() {
    const bool done = share_ >= 1 || seconds_ > enough;
    if (done) share_ = seconds_ = 0;
    return done;
  }

  std::vector<Rehearsed> tried_;
  Clock::time_point asked_{}, begin_{};
  double share_ = 0, first_ = 0, seconds_ = 0;
  bool last_ = false;
};

/// Says it. The exit status.
inline int rehearse(const Work& work, const RunOptions& options) {
  using namespace lacuna;
  const data::Dataset learning = lab::without_test(*work.data.set);
  double all = 0;
  for (const lab::System& system : work.systems) {
    const std::size_t trainings = system.seeded ? options.seeds.size() : 1;
    std::printf("%s  %zu training%s\n  %s\n", system.name.c_str(), trainings, trainings > 1 ? "s" : "",
                system.recipe.c_str());
    if (!system.seeded) continue;
    Rehearsal rehearsal;
    (void)system.train({.data = learning, .seed = options.seeds[0], .observer = &rehearsal});
    double training = 0;
    for (const Rehearsed& one : rehearsal.phases()) {
      const double phase = one.seconds * double(one.epochs);
      std::printf("  %s: %lld numbers, %lld epochs of %lld batches (%lld samples), about %.3g s each, %.3g s in all\n",
                  one.phase.c_str(), static_cast<long long>(one.numbers), static_cast<long long>(one.epochs),
                  static_cast<long long>(one.batches), static_cast<long long>(one.samples), one.seconds, phase);
      training += phase;
    }
    all += training * double(trainings);
  }
  std::printf(
      "about %.3g s of training, on the threads of this machine as they are now; less where epochs stop early\n", all);
  std::printf("%zu conditions of the test split (%lld samples)\n", work.plan.size(),
              static_cast<long long>(work.data.set->test.size()));
  return 0;
}

}  // namespace program
