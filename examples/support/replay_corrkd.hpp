/// Runs CorrKD on given parameters and inputs and names every array as the reference does.
#pragma once

#include <algorithm>
#include <lacuna/io/npz.hpp>
#include <lacuna/models/corrkd/objective.hpp>
#include <lacuna/models/corrkd/pytorch.hpp>
#include <lacuna/optim/adam.hpp>
#include <lacuna/optim/clip.hpp>

namespace replay {

/// What `replay corrkd` is asked for: a case of a file laid out like corrkd_net.npz.
struct CorrkdRequest {
  std::string file, name;
  int steps = 3;
};

/// One case loaded from a file, ready to run. `sink(name, array)` receives every array.
template <class T, class D = lacuna::Cpu>
class Corrkd {
 public:
  using index_t = lacuna::index_t;

  /// What is trained: their gradients are clipped together.
  struct Trained {
    using device = D;
    lacuna::models::CorrkdNetwork<T, D> student;
    lacuna::models::CorrkdCritics<T, D> critics;
    static void reflect(auto& self, auto&& visit) {
      visit("student", self.student);
      visit("critics", self.critics);
    }
  };
  using Losses = lacuna::models::CorrkdLosses<T, D>;

  explicit Corrkd(const CorrkdRequest& request) : request_(request), file_(request.file) {
    const auto names = file_.get("index").strings();
    if (std::find(names.begin(), names.end(), request.name) == names.end()) {
      std::string known;
      for (const auto& one : names) known += (known.empty() ? "" : ", ") + one;
      throw lacuna::OptionError(request.file + ": has no case '" + request.name + "'; it has " + known);
    }
    load_options();
    load_inputs();
    lacuna::Random random(0);
    teacher_ = lacuna::models::CorrkdNetwork<T, D>(options_.network, random);
    trained_.student = lacuna::models::CorrkdNetwork<T, D>(options_.network, random);
    trained_.critics = lacuna::models::CorrkdCritics<T, D>(1, options_.class_count(), options_.critic, random);
    load(teacher_, "par/teacher/", [&](const std::string& path) { return network_name(path); });
    load(trained_, "par/", [&](const std::string& path) { return trained_name(path); });
    lacuna::freeze(teacher_);
  }

  lacuna::models::CorrkdOutput<T, D> student() const { return trained_.student(masked_); }
  lacuna::models::CorrkdOutput<T, D> teacher() const {
    const lacuna::NoGrad off;
    return teacher_(complete_);
  }
  Losses losses() const {
    return lacuna::models::corrkd_objective(options_, student(), teacher(), target_, trained_.critics);
  }

  void run(auto&& to) {
    const auto sink = [&](const std::string& name, const auto& array) { to(name, host(array)); };
    {
      const auto t = teacher(), s = student();
      sink("out/h_teacher", t.joint.value());
      sink("out/z_teacher", t.scores.value());
      sink("out/h_student", s.joint.value());
      sink("out/z_student", s.scores.value());
      const lacuna::NoGrad off;
      sink("out/h_teacher_masked", teacher_(masked_).joint.value());
    }
    for (const auto& [term, member] : terms()) {
      const Losses all = losses();
      const auto& loss = all.*member;
      sink("out/" + term, one(loss.item()));
      if (term.starts_with("mi_")) continue;
      loss.backward();
      write_gradients(term == "total" ? "grad/" : "grad_" + term + "/", to);
    }
    if (request_.steps > 0) train(to);
  }

  /// Name of a loss → member of Losses.
  static std::vector<std::pair<std::string, lacuna::Variable<T, 0, D> Losses::*>> terms() {
    return {{"task", &Losses::task},
            {"scd", &Losses::sample},
            {"cpd", &Losses::prototype},
            {"rcd", &Losses::response},
            {"mi_target", &Losses::target_information},
            {"mi_nontarget", &Losses::rest_information},
            {"total", &Losses::total}};
  }

 private:
  static auto host(const auto& array) { return lacuna::to_device<lacuna::Cpu>(array); }
  std::string in_case(const std::string& name) const { return request_.name + "/" + name; }
  double number(const std::string& name) const { return file_.get(in_case("arg/" + name)).template scalar<double>(); }
  index_t integer(const std::string& name) const {
    return file_.get(in_case("arg/" + name)).template scalar<index_t>();
  }
  static lacuna::Tensor<T, 1> one(T value) { return lacuna::Tensor<T, 1>::full({1}, value); }

  void load_options() {
    options_.labels = lacuna::models::CorrkdLabels::classes;
    options_.classes = integer("classes");
    options_.critic.hidden = integer("critic_hidden");
    options_.loss.sample.margin = number("scd_margin");
    options_.loss.prototype.power = int(integer("cpd_power"));
    auto& network = options_.network;
    network.inputs = file_.get(in_case("arg/dims")).template as<index_t>();
    network.outputs = options_.outputs();
    network.width = integer("width");
    network.num_heads = integer("heads");
    network.depth = integer("depth");
    network.hidden = integer("ffn");
    network.embedding_dropout = network.attention_dropout = network.hidden_dropout = network.residual_dropout = 0;
    options_.check();
  }

  void load_inputs() {
    const auto kept = file_.template tensor<std::uint8_t, 2>(in_case("in/keep_stream"));
    index_t m = 0;
    for (const char* name : {"l", "a", "v"}) {
      const auto frames = file_.template tensor<T, 3>(in_case("in/" + std::string(name)));
      auto keep = file_.template tensor<std::uint8_t, 2>(in_case("in/keep_" + std::string(name)));
      complete_.push_back(
          lacuna::data::to_device<D>(lacuna::data::Stream<T>{frames, lacuna::Mask<2>::full(keep.extents(), 1)}));
      for (index_t b = 0; b < keep.extent(0); ++b)
        for (index_t t = 0; t < keep.extent(1); ++t) keep(b, t) = keep(b, t) && kept(b, m);
      masked_.push_back(lacuna::data::to_device<D>(lacuna::models::masked_stream(frames, keep)));
      ++m;
    }
    target_.classes = file_.get(in_case("in/target")).template as<index_t>();
  }

  std::string network_name(const std::string& path) const {
    return lacuna::models::corrkd_pytorch_name(path, options_.network.depth);
  }
  /// "student.head_in.weight" → "student/head.0.weight", "critics.rest.0.out.bias" → "critic_nontarget/net.4.bias".
  std::string trained_name(const std::string& path) const {
    if (path.starts_with("student.")) return "student/" + network_name(path.substr(8));
    const bool target = path.starts_with("critics.target.0.");
    const std::string inner = path.substr(target ? 17 : 15);
    return std::string(target ? "critic_target/" : "critic_nontarget/") +
           lacuna::models::corrkd_critic_pytorch_name(inner, options_.critic.layers);
  }

  template <class M, class Name>
  void load(M& module, const std::string& prefix, Name&& name) {
    lacuna::for_each_parameter(module, [&](const std::string& path, auto& parameter) {
      const auto numbers = file_.get(in_case(prefix + name(path)));
      if (!(numbers.shape() == parameter.shape()))
        throw lacuna::IoError(
            lacuna::detail::cat(numbers.where(), " has shape ", numbers.shape(), ", expected ", parameter.shape()));
      parameter.node()->value.assign(numbers.template as<T>());
    });
  }

  /// All of the student's, zeros where a loss does not reach; of the critics those that arrived.
  void write_gradients(const std::string& prefix, auto&& sink) {
    lacuna::for_each_parameter(trained_, [&](const std::string& path, auto& parameter) {
      if (parameter.has_grad() || path.starts_with("student."))
        sink(prefix + trained_name(path), host(parameter.grad()).clone());
    });
    lacuna::zero_grad(trained_);
  }

  void train(auto&& to) {
    const auto sink = [&](const std::string& name, const auto& array) { to(name, host(array)); };
    const auto packed = lacuna::pack<T, D>(trained_);
    const std::vector<T> start = packed.values.to_vector();
    lacuna::optim::Adam<T, D> adam(
        packed,
        {.learning_rate = number("lr"), .beta1 = number("beta1"), .beta2 = number("beta2"), .epsilon = number("eps")});
    const double clip = number("clip_norm");
    std::vector<T> norms, totals;
    for (int step = 1; step <= request_.steps; ++step) {
      packed.zero_grad();
      const Losses all = losses();
      totals.push_back(all.total.item());
      all.total.backward();
      const double norm = lacuna::gradient_norm(packed);
      norms.push_back(T(norm));
      adam.step_scaled(lacuna::clip_factor(norm, clip));
      if (step != 1 && step != request_.steps) continue;
      const std::string n = std::to_string(step);
      for (const auto& segment : packed.segments) {
        const std::string name = trained_name(segment.path);
        sink("step" + n + "/" + name, segment.node->value);
        lacuna::Array<T> delta(segment.node->value.shape());
        const std::vector<T> now = segment.node->value.to_vector();
        for (index_t k = 0; k < delta.size(); ++k)
          delta.data()[k] = now[std::size_t(k)] - start[std::size_t(segment.offset + k)];
        sink("delta" + n + "/" + name, delta);
      }
    }
    const auto list = [](const std::vector<T>& numbers) {
      return lacuna::Tensor<T, 1>::from({index_t(numbers.size())}, numbers);
    };
    sink("out/norm_before_clip", list(norms));
    sink("out/total_before_step", list(totals));
  }

  CorrkdRequest request_;
  lacuna::io::Npz file_;
  lacuna::models::CorrkdOptions options_;
  lacuna::models::CorrkdNetwork<T, D> teacher_;
  Trained trained_;
  lacuna::data::Streams<T, D> complete_, masked_;
  lacuna::models::Targets<T, D> target_;
};

}  // namespace replay
