/// Comparison of a network with the arrays of its authors' code: one file of shared/oracle/baselines per model, described
/// by the README there.
///
///     Published file("tfn");
///     TfnNetwork<double> network(options, random);
///     file.load(network);                              // param/ and buffer/ by their PyTorch names
///     Sequences<double> x{file.sequence("text", "text_length"), ...};   // leaves: gin/ is compared
///     file.out("out/M", network.forward(x, {}).score);
///     file.gradients(network, total);                  // grad/ and gin/
///     file.steps(network, optimizer, [&] { return total; });            // step3/, and the totals on the way
///     CHECK(file.finish() > 0);                        // every array of the file was compared, and says how many
///
/// A name may come with a rename, ours → theirs. Sizes come from `config` or from the shapes of the file.
#pragma once

#include <doctest/doctest.h>

#include <cstdio>
#include <map>
#include <regex>
#include <set>

#include "lacuna/core/mask.hpp"
#include "lacuna/io/npz.hpp"
#include "lacuna/models/baselines/sequences.hpp"
#include "support/oracle.hpp"

namespace lacuna::test {

inline std::string published_dir() { return oracle_dir() + "/baselines"; }
inline bool have_published() { return is_directory(published_dir()); }

class Published {
 public:
  static constexpr double forward = 1e-9, gradient = 1e-8, step = 1e-9;

  explicit Published(const std::string& name) : name_(name), file_(published_dir() + "/" + name + ".npz") {
    config_ = file_.get("config").strings().at(0);
    rename("running_variance", "running_var");
  }

  // ---- what the file gives
  bool has(const std::string& name) const { return file_.contains(name); }
  index_t extent(const std::string& name, int axis) const { return file_.header(name).shape[axis]; }
  std::vector<double> numbers(const std::string& name) const { return file_.get(name).as<double>(); }
  std::vector<index_t> integers(const std::string& name) const { return file_.get(name).as<index_t>(); }
  template <int R>
  Tensor<double, R> tensor(const std::string& name) const {
    return file_.tensor<double, R>(name);
  }
  /// What stands behind "key": in the config, up to the comma that ends it.
  std::string config(const std::string& key) const {
    const auto at = config_.find("\"" + key + "\": ");
    REQUIRE_MESSAGE(at != std::string::npos, name_ << " has no " << key);
    const auto begin = at + key.size() + 4;
    int depth = 0;
    for (auto end = begin; end < config_.size(); ++end) {
      const char c = config_[end];
      if (c == '[' || c == '{') ++depth;
      if ((c == ']' || c == '}') && --depth < 0) return config_.substr(begin, end - begin);
      if (c == ',' && depth == 0) return config_.substr(begin, end - begin);
    }
    return config_.substr(begin);
  }
  double number(const std::string& key) const { return std::stod(config(key)); }
  index_t size(const std::string& key) const { return index_t(number(key)); }
  bool truth(const std::string& key) const { return config(key) == "true"; }
  /// All numbers of a list, nested or not.
  std::vector<index_t> sizes(const std::string& key) const {
    std::vector<index_t> all;
    const std::string text = config(key);
    const std::regex digits("-?[0-9]+");
    for (std::sregex_iterator i(text.begin(), text.end(), digits), end; i != end; ++i)
      all.push_back(std::stoi(i->str()));
    return all;
  }

  /// in/NAME as a leaf, the same one every time; its gradient is compared with gin/NAME.
  template <int R>
  Variable<double, R> leaf(const std::string& name) {
    if (const auto known = leaves_.find(name); known != leaves_.end()) return Variable<double, R>(known->second);
    const Variable<double, R> variable(tensor<R>("in/" + name), true);
    leaves_[name] = variable.node();
    return variable;
  }
  /// in/NAME with the mask of in/LENGTH, or all present; vectors (B, D) as sequences of one frame.
  models::Sequence<double> sequence(const std::string& name, const std::string& length = {}) {
    const bool vectors = file_.header("in/" + name).shape.rank() == 2;
    const auto x = vectors ? unsqueeze(leaf<2>(name), 1) : leaf<3>(name);
    const index_t batch = x.extent(0), frames = x.extent(1);
    if (!length.empty()) return {x, mask_from_lengths(integers("in/" + length), frames)};
    return {x, Mask<2>::full({batch, frames}, 1)};
  }
  /// Labels for the task's loss.
  models::TrainingBatch<double> batch(models::RegressionLoss loss, const std::string& label = "in/label") {
    task_ = {.kind = models::LabelKind::regression, .regression_loss = loss};
    models::TrainingBatch<double> taught{.task = &task_};
    const auto y = numbers(label);
    taught.targets.values = Tensor<double, 2>::from({index_t(y.size()), 1}, y);
    taught.targets.classes.assign(y.size(), 0);
    return taught;
  }

  // ---- loading
  /// The PyTorch name of one of our paths: recurrent cells are numbered, theirs have layers and directions.
  std::string theirs(const std::string& path, const std::string& group) const {
    std::string name = path;
    for (const auto& [ours, other] : renames_)
      if (const auto at = name.find(ours); at != std::string::npos) name.replace(at, ours.size(), other);
    static const std::regex cell("(.*)\\.cells\\.([0-9]+)\\.(weight|bias)_(x|h)"), one("(.*)\\.(weight|bias)_(x|h)");
    std::smatch m;
    if (std::regex_match(name, m, cell)) {
      const bool both = has(group + m.str(1) + ".weight_ih_l0_reverse");
      const int i = std::stoi(m.str(2));
      return m.str(1) + "." + m.str(3) + (m.str(4) == "x" ? "_ih_l" : "_hh_l") + std::to_string(both ? i / 2 : i) +
             (both && i % 2 ? "_reverse" : "");
    }
    if (std::regex_match(name, m, one)) return m.str(1) + "." + m.str(2) + (m.str(3) == "x" ? "_ih" : "_hh");
    return name;
  }
  /// Wherever `ours` stands in a path of ours.
  void rename(const std::string& ours, const std::string& other) { renames_.emplace_back(ours, other); }

  /// Fills every parameter and buffer of the module. `partial`: not all of the file's are its.
  template <class M>
  void load(M& module, bool partial = false, const std::string& group = "param/") {
    for_each_array(module, [&](const std::string& path, auto& array) {
      using Leaf = std::remove_cvref_t<decltype(array)>;
      const bool trained = lacuna::detail::is_parameter<Leaf>;
      const std::string full = (trained ? group : "buffer/") + theirs(path, group);
      REQUIRE_MESSAGE(has(full), name_ << " has no " << full);
      const auto values = numbers(full);
      REQUIRE_MESSAGE(index_t(values.size()) == array.size(), full << " is of another size");
      std::copy(values.begin(), values.end(), array.mutable_data());
      taken_.insert(full);
    });
    if (partial) return;
    for (const std::string& full : file_.names())
      if ((full.starts_with(group) || full.starts_with("buffer/")) && !constants_.count(full))
        CHECK_MESSAGE(taken_.count(full) == 1, name_ << ": " << full << " is no parameter of ours");
  }
  /// A member of param/ that is no parameter of ours.
  void constant(const std::string& full) { constants_.insert(full); }

  // ---- comparing
  void compare(const std::string& full, const std::vector<double>& found, double allowed, bool absolute = false) {
    REQUIRE_MESSAGE(has(full), name_ << " has no " << full);
    const auto reference = numbers(full);
    double error = 0;
    if (absolute) {
      error = found.size() == reference.size() ? 0 : INFINITY;
      for (std::size_t i = 0; i < found.size() && error < INFINITY; ++i) {
        const double d = std::abs(found[i] - reference[i]);
        error = std::isnan(d) ? INFINITY : std::max(error, d);
      }
    } else {
      error = relative_error(found, reference, 0.01);
    }
    CHECK_MESSAGE(error <= allowed, name_ << ": " << full << ": error " << error << ", allowed " << allowed);
    auto& worst = allowed == gradient ? worst_[1] : absolute ? worst_[2] : worst_[0];
    worst = std::max(worst, error);
    compared_.insert(full);
  }
  template <int R>
  void out(const std::string& full, const Variable<double, R>& y) {
    compare(full, y.value().to_vector(), forward);
  }
  template <int R>
  void out(const std::string& full, const Tensor<double, R>& y) {
    compare(full, y.to_vector(), forward);
  }
  void out(const std::string& full, double y) { compare(full, {y}, forward); }
  void buffers(const auto& module, const std::string& group) {
    for_each_buffer(module, [&](const std::string& path, const auto& buffer) {
      compare(group + theirs(path, "param/"), buffer.value().to_vector(), forward);
    });
  }
  /// Backward, then every gradient of the file: of parameters in `group`, of inputs in `inputs` (none: "").
  template <class M>
  void gradients(const M& module, const Variable<double, 0>& total, const std::string& group = "grad/",
                 const std::string& inputs = "gin/") {
    zero_grad(module);
    for (const auto& [name, node] : leaves_) node->has_gradient = false;
    total.backward();
    for_each_parameter(module, [&](const std::string& path, const auto& parameter) {
      const std::string full = group + theirs(path, "param/");
      if (has(full)) return compare(full, parameter.grad().to_vector(), gradient);
      for (const double g : parameter.grad().to_vector()) CHECK_MESSAGE(g == 0, full << " is not expected");
    });
    if (inputs.empty()) return;
    for (const auto& [name, node] : leaves_) {
      if (!has(inputs + name)) continue;
      const std::vector<double> zeros(std::size_t(node->value.size()), 0.0);
      compare(inputs + name, node->has_gradient ? node->gradient.to_vector() : zeros, gradient);
    }
  }
  /// Three steps on the same batch. `loss` gives the total; `clip` runs between backward and the step.
  template <class M, class O, class F>
  void steps(const M& module, O& optimizer, F&& loss, double clip_value = 0, double clip_norm = 0,
             const std::string& group = "step3/", const std::string& totals = "step3_total_before_step") {
    std::vector<double> before;
    for (int i = 0; i < 3; ++i) {
      optimizer.zero_grad();
      const Variable<double, 0> total = loss();
      before.push_back(total.item());
      total.backward();
      if (clip_value > 0) clip_gradient_value(module, clip_value);
      if (clip_norm > 0) clip_gradient_norm(module, clip_norm);
      optimizer.step();
    }
    compare(totals, before, forward);
    for_each_parameter(module, [&](const std::string& path, const auto& parameter) {
      const std::string full = group + theirs(path, "param/");
      if (has(full)) compare(full, parameter.value().to_vector(), step, true);
    });
  }
  /// A constant that no step moves.
  void unmoved(const std::string& name) { compare("step3/" + name, numbers("param/" + name), step, true); }

  /// How many arrays were compared; every result of the file must be among them.
  int finish() const {
    for (const std::string& full : file_.names()) {
      const std::string top = full.substr(0, full.find('/'));
      const bool given =
          top == "in" || top == "param" || top == "buffer" || top == "config" || top.starts_with("nograd");
      if (!given) CHECK_MESSAGE(compared_.count(full) == 1, name_ << ": " << full << " was not compared");
    }
    std::printf("%s: %zu arrays compared, largest error: forward %.1e, gradients %.1e, steps %.1e\n", name_.c_str(),
                compared_.size(), worst_[0], worst_[1], worst_[2]);
    return int(compared_.size());
  }

 private:
  std::string name_, config_;
  io::Npz file_;
  models::Task task_;
  std::map<std::string, NodeHandle<double, Cpu>> leaves_;
  std::vector<std::pair<std::string, std::string>> renames_;
  std::set<std::string> compared_, taken_, constants_;
  double worst_[3] = {0, 0, 0};
};

/// The number of a term.
inline double term(const LossTerms<double>& loss, const std::string& name) {
  for (const auto& [own, number] : loss.terms)
    if (own == name) return double(number);
  FAIL("no term " << name);
  return NAN;
}

}  // namespace lacuna::test
