#include "lacuna/train/progress.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstdlib>

#include "io/temporary.hpp"
#include "lacuna/train/interrupt.hpp"

namespace lacuna::test {
namespace {

using train::BatchReport;
using train::EpochRecord;

EpochRecord record() {
  EpochRecord made;
  made.epoch = 7;
  made.losses = {{"loss", 0.40341}, {"part", 0.1}};
  made.validation = {{"complete", {{"mae", 0.5179}, {"pearson", 0.4}}}, {"without-text", {{"mae", 0.6012}}}};
  made.best = true;
  made.seconds = 1.94;
  return made;
}

TEST_CASE("progress: the bar shows epoch, share, loss, metric, speed and time left, within the width") {
  const EpochRecord last = record();
  const BatchReport report{{}, 8, 25, 450, 1000, 0.41216, &last};
  CHECK(train::progress_bar(report, 4210, 72.4, 100) ==
        "epoch  8/25 [#########...........]  45 %  loss 0.4122  mae 0.5179  4210 samples/s  1:12 left");
  for (int width = 0; width < 120; ++width)
    CHECK(train::progress_bar(report, 4210, 72.4, width).size() <= std::size_t(width));
  // nothing is known yet
  CHECK(train::progress_bar({{}, 1, 5, 0, 1000, 0, nullptr}, -1, -1, 70) ==
        "epoch 1/5 [....................]   0 %  loss 0.0000  -:-- left");
  // the end, and an epoch without samples
  CHECK(contains(train::progress_bar({{}, 5, 5, 1000, 1000, 1, nullptr}, 1, 0, 80), "[####################] 100 %"));
  CHECK(contains(train::progress_bar({{}, 1, 5, 0, 0, 1, nullptr}, 1, 0, 80), "  0 %"));
}

TEST_CASE("progress: the line of an epoch") {
  CHECK(train::epoch_line(record(), 25) ==
        "epoch  7/25  loss 0.4034  complete mae 0.5179  without-text mae 0.6012 *  1.9 s");
  EpochRecord bare;
  bare.epoch = 1;
  CHECK(train::epoch_line(bare, 3) == "epoch 1/3    0.0 s");
}

TEST_CASE("progress: durations") {
  CHECK(train::duration_text(0) == "0:00");
  CHECK(train::duration_text(59.6) == "1:00");
  CHECK(train::duration_text(3599) == "59:59");
  CHECK(train::duration_text(3600) == "1:00:00");
  CHECK(train::duration_text(100000) == "27:46:40");
  CHECK(train::duration_text(-1) == "-:--");
  CHECK(train::duration_text(std::nan("")) == "-:--");
  CHECK(train::duration_text(HUGE_VAL) == "-:--");
}

TEST_CASE("progress: where there is no terminal, plain lines and nothing else") {
  const TemporaryFolder folder;
  const std::string path = folder / "log";
  std::FILE* file = std::fopen(path.c_str(), "w");
  REQUIRE(file != nullptr);
  {
    train::Progress progress("seed 1", file);
    for (index_t i = 1; i <= 10; ++i) progress.batch({{}, 1, 2, i, 10, 0.5, nullptr});
    progress.epoch(record(), 25);
  }
  std::fclose(file);
  const auto bytes = read_bytes(path);
  CHECK(std::string(bytes.begin(), bytes.end()) == "seed 1  " + train::epoch_line(record(), 25) + "\n");
}

TEST_CASE("progress: on a terminal the bar redraws itself on one line and leaves nothing behind") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return;  // no pseudo-terminals here
  const char* name = ::ptsname(master);
  REQUIRE(name != nullptr);
  std::FILE* terminal = std::fopen(name, "r+");
  REQUIRE(terminal != nullptr);
  struct winsize size {};
  size.ws_col = 60;
  size.ws_row = 20;
  REQUIRE(::ioctl(master, TIOCSWINSZ, &size) == 0);
  {
    train::Progress progress({}, terminal);
    progress.batch({{}, 1, 2, 1, 10, 0.5, nullptr});
    progress.batch({{}, 1, 2, 2, 10, 0.5, nullptr});  // too soon to be drawn
    progress.epoch(record(), 25);
  }
  std::string text;
  char piece[256];
  ::fcntl(master, F_SETFL, O_NONBLOCK);
  for (ssize_t got = 0; (got = ::read(master, piece, sizeof piece)) > 0;) text.append(piece, std::size_t(got));
  const std::size_t drawn = text.find("epoch 1/2");
  REQUIRE(drawn != std::string::npos);
  CHECK(text.find("epoch 1/2", drawn + 1) == std::string::npos);
  CHECK(text.substr(drawn, text.find('\r', drawn) - drawn).size() < 60);
  CHECK(text.find("\r\033[K", drawn) < text.find("epoch  7/25"));
  std::fclose(terminal);
  ::close(master);
}

TEST_CASE("interrupt: notes a signal, and gives the old handling back") {
  {
    const train::Interrupt interrupt;
    CHECK(interrupt.signal() == 0);
    std::raise(SIGTERM);
    CHECK(interrupt.signal() == SIGTERM);
    CHECK(interrupt.exit_status() == 143);
  }
  const train::Interrupt again;
  CHECK(again.signal() == 0);
  std::raise(SIGINT);
  CHECK(again.exit_status() == 130);
}

}  // namespace
}  // namespace lacuna::test
