// All trainings of a run, several side by side.
#pragma once

#include <exception>
#include <new>
#include <system_error>
#include <thread>

#include "run.hpp"

namespace program {

/// One training: which system, and from which seed.
struct Job {
  const lacuna::lab::System* system;
  std::uint64_t seed;
};

/// What has become of it; neither: it was interrupted.
struct Outcome {
  std::optional<FinishedRun> finished = {};
  std::string failure = {};  ///< phase and reason
};

inline std::vector<Job> jobs_of(const std::vector<lacuna::lab::System>& systems,
                                const std::vector<std::uint64_t>& seeds) {
  std::vector<Job> jobs;
  for (const auto& system : systems)
    for (const std::uint64_t seed : system.seeded ? seeds : std::vector<std::uint64_t>{0})
      jobs.push_back({&system, seed});
  return jobs;
}

/// Trains `side_by_side` of them at a time (0: as many as there are threads), which share the threads: small models
/// gain little from a second thread, and everything from a second core. Bits do not depend on either number. The
/// results are in the order of the jobs; nullopt: interrupted, and ready to be resumed. A training that fails says so at
/// once, with its model, seed and phase, and the others go on. `only`: where this one fails nothing is left to be shown,
/// and its error is thrown, an OptionError as such.
inline std::optional<std::vector<Outcome>> train_all(const std::string& program, const std::vector<Job>& jobs, int side_by_side,
                                                     const Setting& setting, Folder& folder,
                                                     const lacuna::train::Interrupt& interrupt,
                                                     const lacuna::lab::System* only = nullptr) {
  using namespace lacuna;
  const int all_threads = threads();
  // Models without seeds are fitted in no time: they are no reason to share the threads.
  const auto long_ones = std::count_if(jobs.begin(), jobs.end(), [](const Job& job) { return job.system->seeded; });
  const int workers = std::clamp(side_by_side > 0 ? side_by_side : all_threads, 1, std::max(1, int(long_ones)));
  // They are made one after the other here, so that no two threads make the same folder.
  for (const Job& job : jobs) folder.make_run(job.system->name, job.seed);
  Stop stop(interrupt);
  Board board(jobs.size(), std::size_t(workers), setting.quiet);
  std::vector<Outcome> outcomes(jobs.size());
  bool option_error = false;
  std::atomic<std::size_t> next{0};
  std::atomic<int> working{workers};
  const auto share = [&](int among) { set_threads(std::max(1, all_threads / std::max(1, among))); };

  const auto work = [&] {
    for (std::size_t i; !stop.asked() && (i = next++) < jobs.size();) {
      const std::string name = name_of(*jobs[i].system, jobs[i].seed);
      const char* phase = "its folder";
      bool option = false;
      try {
        outcomes[i].finished = train_run(*jobs[i].system, jobs[i].seed, setting, folder, board, stop, phase);
        continue;
      } catch (const std::bad_alloc&) {
        outcomes[i].failure = "not enough memory";
      } catch (const OptionError& error) {
        option = true;
        outcomes[i].failure = error.what();
      } catch (const std::exception& error) {
        outcomes[i].failure = error.what();
      }
      if (outcomes[i].failure.rfind(phase, 0) != 0) outcomes[i].failure = phase + (": " + outcomes[i].failure);
      if (jobs[i].system == only) {
        option_error = option;
        stop.fail();
      } else {
        board.failed(program, name, outcomes[i].failure);
      }
    }
    share(--working);  // who is still at work gets the threads of those who are not
  };
  share(workers);
  std::vector<std::thread> others;
  try {
    while (int(others.size()) + 1 < workers) others.emplace_back(work);
  } catch (const std::system_error&) {  // the system gives no more threads: those that are there do it all
    working -= workers - 1 - int(others.size());
  }
  work();
  for (std::thread& other : others) other.join();
  set_threads(all_threads);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (jobs[i].system != only || outcomes[i].failure.empty()) continue;
    const std::string text = name_of(*jobs[i].system, jobs[i].seed) + ", " + outcomes[i].failure;
    option_error ? throw OptionError(text) : throw Error(text);
  }
  for (const Outcome& outcome : outcomes)
    if (!outcome.finished && outcome.failure.empty()) return std::nullopt;
  return outcomes;
}

}  // namespace program
