/// SDUMC against every array of the authors' own code, through what `replay sdumc` runs. Configurations, sizes and
/// names are found in the folder: <cfg>_inputs_params.npz (or _inputs and _params),
/// <cfg>_<variant>_{fwd,grads,adam,dropout}.npz.
#include <dirent.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "../examples/support/replay_sdumc.hpp"
#include "lacuna/data/batch.hpp"
#include "support/oracle.hpp"

#ifndef LACUNA_TEST_DEVICE  // the check of a device runs this file on another one
#define LACUNA_TEST_DEVICE lacuna::Cpu
#endif

namespace {

using Device = LACUNA_TEST_DEVICE;

using lacuna::index_t;
using lacuna::io::Npz;
using Found = std::map<std::string, std::vector<double>>;

std::string folder() { return lacuna::test::oracle_dir() + "/sdumc/"; }

std::set<std::string> files() {
  std::set<std::string> names;
  if (DIR* directory = opendir(folder().c_str())) {
    while (const dirent* entry = readdir(directory)) names.insert(entry->d_name);
    closedir(directory);
  }
  return names;
}
bool have_files() { return lacuna::test::have_oracle() && !files().empty(); }

/// One configuration in one variant.
struct OracleProblem {
  std::string configuration, variant;
  std::string prefix() const { return configuration + "_" + variant + "_"; }
  std::string file(const std::string& kind) const { return folder() + prefix() + kind + ".npz"; }
  bool has(const std::string& kind) const { return files().count(prefix() + kind + ".npz") == 1; }
  replay::SdumcRequest request() const {
    replay::SdumcRequest r;
    const bool joined = files().count(configuration + "_inputs_params.npz") == 1;
    r.inputs = folder() + configuration + (joined ? "_inputs_params.npz" : "_inputs.npz");
    r.params = joined ? r.inputs : folder() + configuration + "_params.npz";
    r.variant = variant;
    return r;
  }
};

std::vector<OracleProblem> problems() {
  std::vector<OracleProblem> list;
  std::set<std::string> seen;
  for (const std::string& name : files())
    for (const char* variant : {"mia_xt", "nomia", "mia"})
      for (const char* kind : {"fwd", "grads", "adam", "dropout", "sched_delta1", "sched_delta3"}) {
        const std::string tail = "_" + std::string(variant) + "_" + kind + ".npz";
        if (!name.ends_with(tail)) continue;
        const std::string configuration = name.substr(0, name.size() - tail.size());
        if (seen.insert(configuration + "_" + variant).second) list.push_back({configuration, variant});
      }
  return list;
}

template <class T>
Found run(const replay::SdumcRequest& request) {
  Found found;
  replay::Sdumc<T, Device> problem(request);
  problem.run([&](const std::string& name, const lacuna::Array<T>& array) {
    const std::vector<T> numbers = array.to_vector();
    found[name].assign(numbers.begin(), numbers.end());
  });
  return found;
}

/// Comparisons of one test case: counted, the worst error kept for the report.
class Tally {
 public:
  explicit Tally(std::string title) : title_(std::move(title)) {}
  ~Tally() { std::printf("sdumc %s: %d arrays, largest error %.1e\n", title_.c_str(), count_, worst_); }

  /// `scale`: what the error is relative to.
  void compare(const std::string& where, const std::vector<double>* found, const std::vector<double>& expected,
               double scale, double allowed) {
    CHECK_MESSAGE(found != nullptr, title_ << ": " << where << " is not computed");
    if (found == nullptr) return;
    const double measured = lacuna::test::relative_error(*found, expected, scale);
    CHECK_MESSAGE(measured <= allowed, title_ << ": " << where << ": error " << measured << ", allowed " << allowed);
    worst_ = std::max(worst_, measured);
    ++count_;
  }
  int count() const { return count_; }

 private:
  std::string title_;
  int count_ = 0;
  double worst_ = 0;
};

std::vector<double> numbers_of(const Npz& file, const std::string& name) { return file.get(name).as<double>(); }
double largest_of(const std::vector<double>& numbers) {
  double largest = 0;
  for (const double number : numbers) largest = std::max(largest, std::abs(number));
  return largest;
}
const std::vector<double>* look_up(const Found& found, const std::string& name) {
  const auto entry = found.find(name);
  return entry == found.end() ? nullptr : &entry->second;
}
/// A stored float cannot tell more than its own digits.
double stored_precision(const Npz& file, const std::string& name) {
  return file.header(name).item_size == 4 ? 1.2e-7 : 0;
}

/// out/, loss/, act: each to `allowed` of its own largest entry, or of `floor`.
int compare_forward(Tally& tally, const Npz& file, const Found& found, double allowed, double floor) {
  int expected = 0;
  for (const std::string& name : file.names()) {
    if (!name.starts_with("out/") && !name.starts_with("loss/") && !name.starts_with("act")) continue;
    const std::vector<double> reference = numbers_of(file, name);
    tally.compare(name, look_up(found, name), reference, std::max(largest_of(reference), floor),
                  std::max(allowed, stored_precision(file, name)));
    ++expected;
  }
  return expected;
}

/// All arrays under `prefix`, relative to the largest entry of all of them. A gradient that never arrives counts as
/// zeros: the authors cut pieces out of stacked tensors, and so get zeros where a term does not reach. None may arrive
/// that they lack.
int compare_gradients(Tally& tally, const Npz& file, const Found& found, const std::string& prefix, double allowed) {
  double largest = 0;
  std::set<std::string> expected;
  for (const std::string& name : file.names())
    if (name.starts_with(prefix)) {
      largest = std::max(largest, largest_of(numbers_of(file, name)));
      expected.insert(name);
    }
  if (expected.empty()) return 0;
  for (const auto& entry : found)
    if (entry.first.starts_with(prefix))
      CHECK_MESSAGE(expected.count(entry.first) == 1, entry.first << " should have no gradient");
  for (const std::string& name : expected) {
    const std::vector<double> reference = numbers_of(file, name), zeros(reference.size(), 0.0);
    const std::vector<double>* arrived = look_up(found, name);
    if (arrived == nullptr && largest_of(reference) == 0) arrived = &zeros;
    tally.compare(name, arrived, reference, largest, std::max(allowed, stored_precision(file, name)));
  }
  return int(expected.size());
}

std::set<std::string> strings_of(const Npz& file, const std::string& name) {
  const auto list = file.get(name).strings();
  return {list.begin(), list.end()};
}

}  // namespace

TEST_CASE("sdumc oracle: every file of the folder belongs to a known configuration" * doctest::skip(!have_files())) {
  std::set<std::string> known{"README.md", "metrics.npz", "misc.npz", "rnc.npz"};
  int count = 0;
  for (const OracleProblem& p : problems()) {
    for (const char* kind : {"fwd", "grads", "adam", "dropout", "sched_delta1", "sched_delta3"})
      if (p.has(kind)) known.insert(p.prefix() + kind + ".npz"), ++count;
    for (const char* kind : {"_inputs_params.npz", "_inputs.npz", "_params.npz"}) known.insert(p.configuration + kind);
  }
  for (const std::string& name : files())
    if (name.ends_with(".npz")) CHECK_MESSAGE(known.count(name) == 1, name << " is compared with nothing");
  CHECK(count > 0);
  std::printf("sdumc oracle: %d result files of %zu configurations and variants\n", count, problems().size());
}

TEST_CASE("sdumc oracle: forward, losses, and masked padding, in double" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems()) {
    if (!p.has("fwd")) continue;
    CAPTURE(p.prefix());
    const Npz file(p.file("fwd"));
    Tally tally(p.prefix() + "fwd");
    auto request = p.request();
    request.gradients = true;
    const Found published = run<double>(request);
    int expected = compare_forward(tally, file, published, 1e-10, 0.01);

    request.padding = "masked";
    const Found masked = run<double>(request);
    for (const std::string& name : file.names())
      if (name.starts_with("nopad/")) {
        const auto reference = numbers_of(file, name);
        const std::string out = "out/" + name.substr(6);
        tally.compare(name, look_up(masked, out), reference, std::max(largest_of(reference), 0.01), 1e-10);
        ++expected;
        // the two paddings are two functions: this comparison can fail
        if (name == "nopad/z0" && published.at(out) == masked.at(out)) FAIL_CHECK("padding makes no difference");
      }
    CHECK(tally.count() == expected);
    CHECK(expected + 1 == int(file.names().size()));  // all but nograd

    const Npz params(request.params);
    std::set<std::string> without = strings_of(params, "par_order"), nograd = strings_of(file, "nograd");
    for (const auto& entry : published)
      if (entry.first.starts_with("grad/")) without.erase(entry.first.substr(5));
    for (const std::string& name : without) CHECK_MESSAGE(nograd.count(name) == 1, name << " should have a gradient");
    for (const std::string& name : nograd)
      CHECK_MESSAGE(published.count("grad/" + name) == 0, name << " should have no gradient");
  }
}

TEST_CASE("sdumc oracle: gradients of the total and of every term, in double" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems()) {
    if (!p.has("grads")) continue;
    CAPTURE(p.prefix());
    const Npz file(p.file("grads"));
    Tally tally(p.prefix() + "grads");
    auto request = p.request();
    request.gradients = true;
    compare_gradients(tally, file, run<double>(request), "grad/", 1e-9);
    replay::Sdumc<double, Device> problem(request);
    using Losses = lacuna::models::SdumcLosses<double, Device>;
    const std::vector<std::pair<std::string, lacuna::Variable<double, 0, Device> Losses::*>> terms = {
        {"full", &Losses::full},   {"missing", &Losses::missing}, {"text", &Losses::text},
        {"query", &Losses::query}, {"feat", &Losses::feature},    {"rnc", &Losses::contrast}};
    for (const auto& [term, member] : terms) {
      const auto losses = problem.losses(problem.forward(), problem.weights());
      (losses.*member).backward();
      Found found;
      const std::string prefix = "gterm_" + term + "/";
      problem.write_gradients(prefix, [&](const std::string& name, const lacuna::Array<double>& array) {
        found[name] = array.to_vector();
      });
      compare_gradients(tally, file, found, prefix, 1e-9);
    }
    CHECK(tally.count() == int(file.names().size()));
  }
}

TEST_CASE("sdumc oracle: dropout with the authors' masks, in double" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems()) {
    if (!p.has("dropout")) continue;
    CAPTURE(p.prefix());
    const Npz file(p.file("dropout"));
    Tally tally(p.prefix() + "dropout");
    auto request = p.request();
    request.gradients = true;
    request.masks = p.file("dropout");
    const Found found = run<double>(request);
    compare_forward(tally, file, found, 1e-10, 0.01);
    compare_gradients(tally, file, found, "grad/", 1e-9);
    const auto masks = std::count_if(file.names().begin(), file.names().end(),
                                     [](const auto& name) { return name.starts_with("mask"); });
    CHECK(tally.count() + int(masks) == int(file.names().size()));
    CHECK(masks > 0);
  }
}

TEST_CASE("sdumc oracle: three steps of Adam, constant and scheduled, in double" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems()) {
    if (!p.has("adam")) continue;
    CAPTURE(p.prefix());
    const Npz file(p.file("adam"));
    Tally tally(p.prefix() + "adam");
    auto request = p.request();
    Found found;
    for (const char* schedule : {"const", "sched"}) {
      request.schedule = schedule;
      request.steps = 3;  // writes step 1 and step 3
      found.merge(run<double>(request));
    }
    int expected = 0;
    for (const std::string& name : file.names()) {
      const std::string rest = name.substr(name.find('/') + 1), kind = rest.substr(0, rest.find('/'));
      const auto reference = numbers_of(file, name);
      const bool moment = kind[0] == 'm' || kind[0] == 'v';
      tally.compare(name, look_up(found, name), reference, moment ? std::max(largest_of(reference), 1e-12) : 1.0,
                    moment ? 1e-10 : 1e-12);
      ++expected;
    }
    CHECK(tally.count() == expected);
    CHECK(expected == int(file.names().size()));
  }
}

TEST_CASE("sdumc oracle: what a step changes, of large models" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems())
    for (const int steps : {1, 3}) {
      const std::string kind = "sched_delta" + std::to_string(steps);
      if (!p.has(kind)) continue;
      const Npz file(p.file(kind));
      Tally tally(p.prefix() + kind);
      auto request = p.request();
      request.schedule = "sched";
      request.steps = steps;
      const Found found = run<double>(request);
      for (const std::string& name : file.names()) {
        const auto reference = numbers_of(file, name);
        const bool delta = name.starts_with("delta/");
        const auto* array = look_up(found, delta ? name : "sched/" + name);
        if (delta && array == nullptr && largest_of(reference) == 0) continue;  // never trained
        tally.compare(name, array, reference, std::max(largest_of(reference), delta ? 1e-12 : 0.01),
                      std::max(1e-6, stored_precision(file, name)));
      }
      CHECK(tally.count() > 0);
    }
}

TEST_CASE("sdumc oracle: in float" * doctest::skip(!have_files())) {
  for (const OracleProblem& p : problems()) {
    if (!p.has("fwd")) continue;
    CAPTURE(p.prefix());
    Tally tally(p.prefix() + "float");
    auto request = p.request();
    request.gradients = true;
    const Found found = run<float>(request);
    const int outputs = compare_forward(tally, Npz(p.file("fwd")), found, 1e-4, 0.1);
    CHECK(outputs > 0);
    const int gradients = p.has("grads") ? compare_gradients(tally, Npz(p.file("grads")), found, "grad/", 1e-3) : 0;
    CHECK(tally.count() == outputs + gradients);
  }
}

TEST_CASE("sdumc oracle: batches are padded as the authors pad them" * doctest::skip(!have_files())) {
  const Npz file(folder() + "misc.npz");
  const auto lengths_missing = file.tensor<index_t, 2>("pad/pad_lens");  // (streams, samples)
  const index_t samples = lengths_missing.extent(1), longest = 20;
  std::vector<index_t> all(static_cast<std::size_t>(samples));
  for (index_t b = 0; b < samples; ++b) all[std::size_t(b)] = b;
  index_t row = 0;
  for (const char* stream : {"audio", "text", "video", "feat4"}) {
    const std::string prefix = "pad/" + std::string(stream) + "_";
    const auto expected = file.tensor<float, 3>(prefix + "batch");
    // a split holds all sequences at the length of its longest; a batch is cut to its own
    lacuna::data::Modality modality{stream, lacuna::Tensor<float, 3>::zeros({samples, longest, expected.extent(2)}),
                                    lacuna::Mask<2>::zeros({samples, longest})};
    for (index_t b = 0; b < samples; ++b) {
      const auto raw = file.tensor<float, 2>(prefix + std::to_string(b));
      for (index_t t = 0; t < raw.extent(0); ++t) {
        modality.present(b, t) = 1;
        for (index_t f = 0; f < raw.extent(1); ++f) modality.frames(b, t, f) = raw(t, f);
      }
    }
    const auto batch = lacuna::data::gather<float>(modality, all);
    CHECK(batch.frames.shape() == expected.shape());
    CHECK(batch.frames.to_vector() == expected.to_vector());
    for (index_t b = 0; b < samples; ++b) {
      index_t present = 0;
      for (index_t t = 0; t < batch.present.extent(1); ++t) present += batch.present(b, t);
      CHECK(batch.present.extent(1) - present == lengths_missing(row, b));
    }
    ++row;
  }
  CHECK(row == lengths_missing.extent(0));
}
