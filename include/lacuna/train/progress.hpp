/// Shows a training while it runs: a bar that redraws itself on a terminal, one line per epoch elsewhere. It writes to
/// standard error, so that results on standard output stay clean.
///
///     epoch  3/25 [#########...........]  45 %  loss 0.4122  mae 0.5241  4210 samples/s  1:12 left
///     epoch  3/25  loss 0.4034  complete mae 0.5179  without-text mae 0.6012 *  1.9 s
///
/// The star marks the best epoch so far. The time left counts validation as well.
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "lacuna/core/number_text.hpp"
#include "lacuna/train/observer.hpp"

namespace lacuna::train {

/// "0:07", "12:34", "3:02:01"; "-:--" when unknown.
inline std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 3.6e9) return "-:--";
  const auto total = std::llround(seconds);
  char text[48];
  if (total < 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  else
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  return text;
}

/// The bar, at most `width` columns. `rate` in samples per second and `left` in seconds; negative = not known yet.
inline std::string progress_bar(const BatchReport& report, double rate, double left, int width) {
  const double share = report.of > 0 ? std::clamp(double(report.samples) / double(report.of), 0.0, 1.0) : 0.0;
  char text[160];
  const int digits = int(std::to_string(report.epochs).size());
  std::snprintf(text, sizeof text, "epoch %*lld/%lld", digits, static_cast<long long>(report.epoch),
                static_cast<long long>(report.epochs));
  const std::string begin = text;
  std::snprintf(text, sizeof text, " %3d %%  loss ", int(share * 100));
  std::string end = text + detail::fixed_text(report.loss, 4);
  if (report.last != nullptr && !report.last->validation.empty() && !report.last->validation[0].values.empty()) {
    const auto& [name, number] = report.last->validation[0].values[0];
    end += "  " + name + " " + detail::fixed_text(number, 4);
  }
  if (rate >= 0) end += "  " + detail::fixed_text(rate, 0) + " samples/s";
  end += "  " + duration_text(left) + " left";
  const int room = width - int(begin.size() + end.size()) - 3;
  std::string bar;
  if (room >= 5) {
    const int cells = std::min(room, 20), full = int(share * cells);
    bar = " [" + std::string(std::size_t(full), '#') + std::string(std::size_t(cells - full), '.') + "]";
  }
  return (begin + bar + end).substr(0, std::size_t(std::max(width, 0)));
}

/// The line that stays after an epoch.
inline std::string epoch_line(const EpochRecord& record, index_t epochs) {
  char text[160];
  const int digits = int(std::to_string(epochs).size());
  std::snprintf(text, sizeof text, "epoch %*lld/%lld", digits, static_cast<long long>(record.epoch),
                static_cast<long long>(epochs));
  std::string line = text;
  if (!record.losses.empty()) line += "  loss " + detail::fixed_text(record.losses[0].second, 4);
  for (const auto& [condition, values] : record.validation) {
    if (values.empty()) continue;
    line += "  " + condition + " " + values[0].first + " " + detail::fixed_text(values[0].second, 4);
  }
  return line + (record.best ? " *  " : "    ") + detail::fixed_text(record.seconds, 1) + " s";
}

class Progress : public Observer {
 public:
  /// `name` comes before every line: "seed 1".
  explicit Progress(std::string name = {}, std::FILE* to = stderr)
      : name_(name.empty() ? name : std::move(name) + "  "), to_(to), terminal_(::isatty(::fileno(to)) == 1) {}

  void batch(const BatchReport& report) override {
    const Clock::time_point now = Clock::now();
    const double before = double(report.epoch - 1) * double(report.of) + double(report.samples);
    if (!started_) {  // the first step is paid by the start of everything: count from its end
      started_ = true;
      first_ = now;
      first_samples_ = before;
    }
    if (!terminal_ || std::chrono::duration<double>(now - drawn_).count() < 0.1) return;
    drawn_ = now;
    const double seconds = std::chrono::duration<double>(now - first_).count(), done = before - first_samples_;
    const double rate = seconds > 0 && done > 0 ? done / seconds : -1;
    const double left = rate > 0 ? (double(report.epochs) * double(report.of) - before) / rate : -1;
    struct winsize window {};
    const int width = ::ioctl(::fileno(to_), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
    const int room = width - 1 - int(name_.size());
    std::fprintf(to_, "\r\033[K%s%s", name_.c_str(), progress_bar(report, rate, left, room).c_str());
    std::fflush(to_);
    open_ = true;
  }
  void epoch(const EpochRecord& record, index_t epochs) override {
    clear();
    std::fprintf(to_, "%s%s\n", name_.c_str(), epoch_line(record, epochs).c_str());
    std::fflush(to_);
  }
  void note(const std::string& line) override {
    clear();
    std::fprintf(to_, "%s%s\n", name_.c_str(), line.c_str());
    std::fflush(to_);
  }
  /// Wipes an unfinished bar, so that other lines can follow.
  void clear() {
    if (open_) std::fputs("\r\033[K", to_);
    open_ = false;
  }
  ~Progress() override {
    clear();
    std::fflush(to_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string name_;
  std::FILE* to_;
  bool terminal_, open_ = false, started_ = false;
  Clock::time_point first_{}, drawn_{};
  double first_samples_ = 0;
};

}  // namespace lacuna::train
