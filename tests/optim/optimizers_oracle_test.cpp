/// Optimizer paths, weight averages and clipping against the oracle: every case of optim.npz that is no schedule.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "lacuna/io/npz.hpp"
#include "lacuna/optim/adagrad.hpp"
#include "lacuna/optim/adam.hpp"
#include "lacuna/optim/adam_variants.hpp"
#include "lacuna/optim/average.hpp"
#include "lacuna/optim/clip.hpp"
#include "lacuna/optim/lamb.hpp"
#include "lacuna/optim/lion.hpp"
#include "lacuna/optim/rmsprop.hpp"
#include "lacuna/optim/sgd.hpp"
#include "support/paths.hpp"

namespace {

using namespace lacuna;
using io::Npz;

std::string path() { return test::oracle_dir() + "/optim.npz"; }

/// The tensors of the problem, each as one line of numbers.
template <class T>
struct Tensors {
  std::vector<Parameter<T, 1>> list;
  static void reflect(auto& self, auto&& visit) { visit("list", self.list); }
};

/// Names of the arrays <group>/NAME.
std::vector<std::string> names_in(const Npz& file, const std::string& group) {
  std::vector<std::string> names;
  for (const std::string& name : file.names())
    if (name.starts_with(group + "/") && name.find('/', group.size() + 1) == std::string::npos)
      names.push_back(name.substr(group.size() + 1));
  return names;
}

template <class T>
struct Problem {
  const Npz& file;
  std::vector<std::string> names;
  Tensors<T> model;
  Packed<T, Cpu> packed;

  Problem(const Npz& from, const std::string& group) : file(from), names(names_in(from, group)) {
    for (const std::string& name : names) {
      const auto numbers = file.get(group + "/" + name).template as<T>();
      model.list.emplace_back(Tensor<T, 1>::from({index_t(numbers.size())}, numbers));
    }
    packed = pack<T>(model);
  }
  /// Row t of (steps, ...) arrays, as gradients or as values.
  void put(const std::string& group, std::size_t t, bool gradients) {
    packed.zero_grad();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto all = file.get(group + "/" + names[i]).template as<T>();
      const std::size_t size = std::size_t(model.list[i].size());
      REQUIRE((t + 1) * size <= all.size());
      if (!gradients) {
        std::copy_n(all.begin() + std::ptrdiff_t(t * size), size, model.list[i].mutable_data());
        continue;
      }
      const auto slot = model.list[i].gradient_slot();
      for (std::size_t k = 0; k < size; ++k) slot.put(index_t(k), all[t * size + k]);
    }
  }
  /// Largest error of flat numbers against the arrays of a group.
  double error(const std::string& group, const Array<T>& flat) const {
    double worst = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto expected = file.get(group + "/" + names[i]).template as<double>();
      const auto found = flat.window(packed.segments[i].offset, Shape{packed.segments[i].size}).to_vector();
      REQUIRE(found.size() == expected.size());
      double largest = sizeof(T) == 8 ? 0.01 : 0.1, apart = 0;
      for (std::size_t k = 0; k < found.size(); ++k) {
        largest = std::max(largest, std::abs(expected[k]));
        const double difference = std::abs(double(found[k]) - expected[k]);
        if (!(difference <= apart)) apart = difference;
      }
      if (!(apart / largest <= worst)) worst = apart / largest;
    }
    return worst;
  }
};

struct Arguments {
  const Npz& file;
  std::string name;
  bool has(const char* argument) const { return file.contains(name + "/arg/" + argument); }
  double number(const char* argument, double otherwise = 0) const {
    return has(argument) ? file.get(name + "/arg/" + argument).as<double>().at(0) : otherwise;
  }
};

template <class T>
using Step = std::function<void(double rate)>;

template <class T, class Method>
Step<T> stepper(Method&& optimizer) {
  auto shared = std::make_shared<std::decay_t<Method>>(std::forward<Method>(optimizer));
  return [shared](double rate) {
    shared->set_learning_rate(rate);
    shared->step();
  };
}

/// The optimizer that a case names, up to the first underscore.
template <class T>
Step<T> optimizer_of(const Arguments& a, const Packed<T, Cpu>& packed) {
  const std::string method = a.name.substr(a.name.find('/') + 1), kind = method.substr(0, method.find('_'));
  const double beta1 = a.number("beta1", 0.9), beta2 = a.number("beta2", 0.999), eps = a.number("eps", 1e-8),
               decay = a.number("weight_decay");
  if (kind == "sgd")
    return stepper<T>(optim::Sgd<T>(packed, {.momentum = a.number("momentum"),
                                             .dampening = a.number("dampening"),
                                             .weight_decay = decay,
                                             .nesterov = a.number("nesterov") != 0}));
  const bool amsgrad = a.number("amsgrad") != 0;
  if (kind == "adam")
    return stepper<T>(optim::Adam<T>(
        packed, {.beta1 = beta1, .beta2 = beta2, .epsilon = eps, .weight_decay = decay, .amsgrad = amsgrad}));
  if (kind == "adamw")
    return stepper<T>(optim::AdamW<T>(
        packed, {.beta1 = beta1, .beta2 = beta2, .epsilon = eps, .weight_decay = decay, .amsgrad = amsgrad}));
  if (kind == "rmsprop")
    return stepper<T>(optim::RmsProp<T>(packed, {.alpha = a.number("alpha"),
                                                 .epsilon = a.number("eps"),
                                                 .momentum = a.number("momentum"),
                                                 .centered = a.number("centered") != 0,
                                                 .weight_decay = decay}));
  if (kind == "adagrad")
    return stepper<T>(optim::Adagrad<T>(packed, {.learning_rate_decay = a.number("lr_decay"),
                                                 .initial = a.number("initial_accumulator_value"),
                                                 .epsilon = a.number("eps"),
                                                 .weight_decay = decay}));
  if (kind == "adadelta")
    return stepper<T>(
        optim::Adadelta<T>(packed, {.rho = a.number("rho"), .epsilon = a.number("eps"), .weight_decay = decay}));
  const double own_beta2 = a.number("beta2"), own_eps = a.number("eps");
  if (kind == "radam")
    return stepper<T>(
        optim::RAdam<T>(packed, {.beta1 = beta1, .beta2 = own_beta2, .epsilon = own_eps, .weight_decay = decay}));
  if (kind == "nadam")
    return stepper<T>(optim::NAdam<T>(packed, {.beta1 = beta1,
                                               .beta2 = own_beta2,
                                               .epsilon = own_eps,
                                               .weight_decay = decay,
                                               .momentum_decay = a.number("momentum_decay")}));
  if (kind == "lamb")
    return stepper<T>(
        optim::Lamb<T>(packed, {.beta1 = beta1, .beta2 = own_beta2, .epsilon = own_eps, .weight_decay = decay}));
  if (kind == "lion")
    return stepper<T>(optim::Lion<T>(packed, {.beta1 = beta1, .beta2 = own_beta2, .weight_decay = decay}));
  throw Error("no optimizer for " + a.name);
}

/// Numbers n of the groups <name>/step<n>.
std::vector<std::size_t> recorded_steps(const Npz& file, const std::string& name) {
  std::map<std::size_t, int> steps;
  for (const std::string& array : file.names())
    if (array.starts_with(name + "/step")) steps[std::stoul(array.substr(name.size() + 5))] = 1;
  std::vector<std::size_t> list;
  for (const auto& [step, unused] : steps) list.push_back(step);
  return list;
}

template <class T>
constexpr double allowed = sizeof(T) == 8 ? 1e-11 : 1e-4;

template <class T>
bool follows_path(const Npz& file, const std::string& name, int& points) {
  Problem<T> problem(file, "problem/start");
  const Arguments a{file, name};
  const auto step = optimizer_of<T>(a, problem.packed);
  const auto recorded = recorded_steps(file, name);
  bool good = !recorded.empty();
  CHECK(good);
  for (std::size_t t = 1, next = 0; next < recorded.size(); ++t) {
    problem.put("problem/grads", t - 1, true);
    if (a.has("max_norm")) clip_gradient_norm(problem.packed, a.number("max_norm"), a.number("norm_type", 2));
    if (a.has("clip_value")) clip_gradient_value(problem.packed, a.number("clip_value"));
    step(a.number("lr"));
    if (t != recorded[next]) continue;
    const std::string group = name + "/step" + std::to_string(recorded[next++]);
    const double error = problem.error(group, problem.packed.values);
    CHECK_MESSAGE(error <= allowed<T>, group << ": error " << error << " with " << sizeof(T) << " bytes");
    good = good && error <= allowed<T>;
    ++points;
  }
  return good;
}

template <class T>
bool follows_average(const Npz& file, const std::string& name, int& points) {
  Problem<T> problem(file, "problem/start");
  const Arguments a{file, name};
  optim::Ema<T> ema(problem.packed, {a.number("decay"), name.ends_with("warmup")});
  const auto recorded = recorded_steps(file, name);
  bool good = !recorded.empty();
  for (std::size_t t = 1, next = 0; next < recorded.size(); ++t) {
    problem.put("ema/path", t - 1, false);
    ema.update();
    if (t != recorded[next]) continue;
    const std::string group = name + "/step" + std::to_string(recorded[next++]);
    const double error = problem.error(group, ema.values());
    CHECK_MESSAGE(error <= allowed<T>, group << ": error " << error << " with " << sizeof(T) << " bytes");
    good = good && error <= allowed<T>;
    ++points;
  }
  return good;
}

template <class T>
bool clips(const Npz& file, const std::string& name, int& points) {
  Problem<T> problem(file, name + "/in");
  const Arguments a{file, name};
  problem.packed.zero_grad();
  for (std::size_t i = 0; i < problem.names.size(); ++i) {
    const auto numbers = problem.model.list[i].value().to_vector();
    const auto slot = problem.model.list[i].gradient_slot();
    for (std::size_t k = 0; k < numbers.size(); ++k) slot.put(index_t(k), numbers[k]);
  }
  bool good = true;
  if (a.has("clip_value")) clip_gradient_value(problem.packed, a.number("clip_value"));
  if (a.has("max_norm")) {
    const double norm = clip_gradient_norm(problem.packed, a.number("max_norm"), a.number("norm_type"));
    const double expected = file.get(name + "/out/norm").template as<double>().at(0);
    good = std::abs(norm - expected) <= allowed<T> * std::max(expected, 0.01);
    CHECK_MESSAGE(good, name << ": norm " << norm << ", expected " << expected);
  }
  const double error = problem.error(name + "/out", problem.packed.gradients);
  CHECK_MESSAGE(error <= allowed<T>, name << ": error " << error << " with " << sizeof(T) << " bytes");
  ++points;
  return good && error <= allowed<T>;
}

}  // namespace

TEST_CASE("optimizers, averages, clipping: all cases of the oracle" * doctest::skip(!test::have_oracle())) {
  const Npz file(path());
  int expected = 0, in_double = 0, in_float = 0, points = 0;
  for (const std::string& name : file.get("index").strings()) {
    if (name.starts_with("schedule/")) continue;  // schedule_test.cpp
    CAPTURE(name);
    ++expected;
    try {
      if (name.starts_with("optimizer/")) {
        in_double += follows_path<double>(file, name, points);
        in_float += follows_path<float>(file, name, points);
      } else if (name.starts_with("ema/")) {
        in_double += follows_average<double>(file, name, points);
        in_float += follows_average<float>(file, name, points);
      } else if (name.starts_with("clip/")) {
        in_double += clips<double>(file, name, points);
        in_float += clips<float>(file, name, points);
      } else {
        FAIL_CHECK(name << " has no test");
      }
    } catch (const std::exception& problem) {
      FAIL_CHECK(name << ": " << problem.what());
    }
  }
  std::printf("optim.npz optimizer ema clip: %d of %d cases in double, %d of %d in float, %d points\n", in_double,
              expected, in_float, expected, points);
  CHECK(expected > 0);
  CHECK(in_double == expected);
  CHECK(in_float == expected);
}
