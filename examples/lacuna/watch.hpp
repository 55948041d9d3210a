// What trainings show while it trains, and what ends it. Several trainings may speak at the same time.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include "event_curves.hpp"
#include "lacuna/train/interrupt.hpp"
#include "lacuna/train/progress.hpp"
#include "support/program.hpp"

namespace program {

/// Whether trainings have to end: somebody asked for it, or the one that all others are there for has failed.
class Stop {
 public:
  explicit Stop(const lacuna::train::Interrupt& interrupt) : interrupt_(interrupt) {}
  bool asked() const { return failed_ || interrupt_.signal() != 0; }
  void fail() { failed_ = true; }

 private:
  const lacuna::train::Interrupt& interrupt_;
  std::atomic<bool> failed_{false};
};

/// Whole lines on standard error, and where trainings run side by side on a terminal, below them one line of all:
///
///     12 of 27 done  corrkd seed 2 8/30  sdumc seed 1 3/25
class Board {
 public:
  Board(std::size_t trainings, std::size_t side_by_side, bool quiet)
      : trainings_(trainings), quiet_(quiet), single_(side_by_side < 2), terminal_(::isatty(2) == 1) {}

  /// One training at a time on a terminal: it has a bar of its own.
  bool has_bars() const { return !quiet_ && single_; }
  /// Where there is no terminal, and so no bar, every epoch is a line.
  bool has_epochs() const { return !quiet_ && !terminal_; }

  void say(const std::string& who, const std::string& what) {
    if (quiet_) return;
    const std::lock_guard lock(mutex_);
    if (live()) std::fputs("\r\033[K", stderr);
    std::fprintf(stderr, "%s  %s\n", who.c_str(), what.c_str());
    draw();
  }
  /// One training has failed: a line, also under --quiet.
  void failed(const std::string& program, const std::string& who, const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (live()) std::fputs("\r\033[K", stderr);
    (void)support::fail(program.c_str(), who + ", " + why, 1);
    running_.erase(who);
    ++done_;
    draw();
  }
  void at(const std::string& who, lacuna::index_t epoch, lacuna::index_t epochs) {
    if (!live()) return;
    const std::lock_guard lock(mutex_);
    running_[who] = std::to_string(epoch) + '/' + std::to_string(epochs);
    const auto now = std::chrono::steady_clock::now();
    if (now - drawn_ < std::chrono::milliseconds(200)) return;
    drawn_ = now;
    draw();
  }
  void ended(const std::string& who) {
    const std::lock_guard lock(mutex_);
    running_.erase(who);
    ++done_;
    draw();
  }
  ~Board() {
    if (live()) std::fputs("\r\033[K", stderr);
  }

 private:
  bool live() const { return !quiet_ && !single_ && terminal_; }
  void draw() {
    if (!live()) return;
    std::string line = std::to_string(done_) + " of " + std::to_string(trainings_) + " done";
    for (const auto& [who, epoch] : running_) line += "  " + who + ' ' + epoch;
    struct winsize window {};
    const int width = ::ioctl(2, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
    std::fprintf(stderr, "\r\033[K%.*s", width - 1, line.c_str());
    std::fflush(stderr);
  }

  std::mutex mutex_;
  std::map<std::string, std::string> running_;  ///< name → epoch
  std::size_t done_ = 0;
  const std::size_t trainings_;
  const bool quiet_, single_, terminal_;
  std::chrono::steady_clock::time_point drawn_{};
};

/// Of one training.
class Watch : public lacuna::train::Progress {
 public:
  /// curves: the folder of the training, where they are wanted for TensorBoard; else empty.
  Watch(const std::string& who, Board& board, const Stop& stop, std::string curves)
      : Progress(who), who_(who), board_(board), stop_(stop), curves_(std::move(curves)) {}
  void batch(const lacuna::train::BatchReport& report) override {
    if (board_.has_bars()) Progress::batch(report);
    board_.at(who_, report.epoch, report.epochs);
  }
  void epoch(const lacuna::train::EpochRecord& record, lacuna::index_t epochs) override {
    clear();
    curves_.epoch(record);
    if (!board_.has_epochs()) return;
    char text[128];
    std::snprintf(text, sizeof text, "%s%sepoch %lld/%lld  loss %.4f  score %.4f %c  %.1f s", record.phase.c_str(),
                  record.phase.empty() ? "" : "  ", static_cast<long long>(record.epoch),
                  static_cast<long long>(epochs), record.losses.empty() ? 0.0 : record.losses[0].second, record.score,
                  record.best ? '*' : ' ', record.seconds);
    board_.say(who_, text);
  }
  bool stop() override { return stop_.asked(); }

 private:
  std::string who_;
  Board& board_;
  const Stop& stop_;
  EventCurves curves_;
};

}  // namespace program
