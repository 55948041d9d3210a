/// Runs SDUMC on given parameters and inputs and names every array as the authors' module does.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <lacuna/core/mask.hpp>
#include <lacuna/io/npz.hpp>
#include <lacuna/models/sdumc/objective.hpp>
#include <lacuna/models/sdumc/pytorch.hpp>
#include <lacuna/models/streams.hpp>
#include <lacuna/optim/adam.hpp>
#include <optional>

namespace replay {

using lacuna::index_t;

/// What `replay sdumc` is asked for.
struct SdumcRequest {
  std::string params, inputs, masks;
  std::string variant = "nomia", padding = "published", schedule = "const";
  bool gradients = false;
  int steps = 0;
};

/// Receives every array: a name and its numbers.
template <class T>
using Sink = std::function<void(const std::string&, const lacuna::Array<T>&)>;

/// "out/pred0", "act0/fc_att", ... of one flow.
template <class T, class D>
void write_flow(const lacuna::models::SdumcFlow<T, D>& flow, int f, const Sink<T>& to) {
  const auto sink = [&](const std::string& name, const auto& array) {
    to(name, lacuna::to_device<lacuna::Cpu>(array));
  };
  static constexpr const char* modality[] = {"audio", "text", "video"};
  static constexpr const char* view[] = {"fused", "at", "tv", "av", "audio", "text", "video"};
  const auto n = std::to_string(f);
  const std::string out = "out/", act = "act" + n + "/";
  sink(out + "pred" + n, flow.prediction.value());
  sink(out + "z" + n, flow.fused.value());
  sink(out + "r" + n, flow.contrast.value());
  sink(out + "qtext" + n, flow.missing_query().value());
  sink(out + "ctext" + n, flow.missing_content().value());
  const index_t batch = flow.prediction.extent(0);
  // (B, 1, V, T) -> (B, T, V), the layout of the authors' softmax
  const auto frames_first = [&](const lacuna::Tensor<T, 4, D>& there) {
    const lacuna::Tensor<T, 4> weights = lacuna::to_device<lacuna::Cpu>(there);
    const index_t views = weights.extent(2), frames = weights.extent(3);
    lacuna::Tensor<T, 3> turned({batch, frames, views});
    for (index_t b = 0; b < batch; ++b)
      for (index_t t = 0; t < frames; ++t)
        for (index_t v = 0; v < views; ++v) turned(b, t, v) = weights(b, index_t(0), v, t);
    return turned;
  };
  const auto column = [&](const lacuna::Variable<T, 2, D>& x) {
    return x.value().reshape(std::array<index_t, 3>{batch, x.extent(1), 1});
  };
  for (std::size_t m = 0; m < 3; ++m) {
    const std::string i = std::to_string(m), name = modality[m];
    sink(act + "frame_dim_reshape_" + i, flow.frames[m].value());
    sink(act + "fra2utt_" + i, flow.pooled[m].value());
    sink(act + "fra2utt_" + i + ".weights", frames_first(flow.pooling_weights[m]));
    sink(act + name + "_mlp", flow.hidden[m].value());
    sink(act + "cross_att_fra2utt_" + i, flow.attended[m].value());
    sink(act + "cross_att_fra2utt_" + i + ".weights", frames_first(flow.attention_weights[m]));
    sink(act + "cross_" + name + "_mlp", flow.content[m].value());
  }
  for (std::size_t i = 0; i < 7; ++i) {
    if (i < 4) sink(act + "mix_" + view[i], column(flow.mixes[i]));
    sink(act + "cross_" + view[i] + "_query_mlp", flow.queries[i].value());
  }
  if (flow.imagined_hidden.defined()) {
    sink(act + "missing_text_imagination_mlp", flow.imagined_hidden.value());
    sink(act + "missing_cross_text_query_imagination_mlp", flow.imagined_content.value());
  }
  sink(act + "attention_mlp", flow.gate_hidden.value());
  sink(act + "fc_att", flow.gates.value());
  sink(act + "cross_attention_mlp", flow.view_hidden.value());
  sink(act + "cross_fc_att", flow.view_weights.value());
  sink(act + "mix_z", column(flow.fused));
  sink(act + "fc_out_v", flow.prediction.value());
  sink(act + "orgin_linear_change", flow.contrast.value());
}

/// One problem loaded from files, ready to run on a device.
template <class T, class D = lacuna::Cpu>
class Sdumc {
 public:
  explicit Sdumc(const SdumcRequest& request) : request_(request) {
    const lacuna::io::Npz params(request.params), inputs(request.inputs);
    load_network(params);
    load_inputs(inputs);
    if (!request.masks.empty()) load_masks(lacuna::io::Npz(request.masks));
  }

  /// Forward and losses; both flows, with the given masks or without dropout.
  lacuna::models::SdumcFlows<T, D> forward() const {
    std::optional<lacuna::DropoutTape> tapes[2];
    lacuna::Context contexts[2];
    if (!request_.masks.empty()) {
      for (int f = 0; f < 2; ++f) {
        tapes[f].emplace(masks_[f]);
        contexts[f] = {lacuna::Mode::training, nullptr, &*tapes[f]};
      }
    }
    auto flows = lacuna::models::both_flows(network_, streams_, simulated_, contexts[0], contexts[1]);
    for (int f = 0; f < 2; ++f)
      if (tapes[f] && !tapes[f]->finished())
        throw lacuna::Error(
            lacuna::detail::cat(request_.masks, ": flow ", f, " has more masks than the network has dropouts"));
    return flows;
  }
  lacuna::models::SdumcLosses<T, D> losses(const lacuna::models::SdumcFlows<T, D>& flows,
                                           const lacuna::models::SdumcWeights& weights) const {
    return lacuna::models::sdumc_objective(flows, labels_, weights);
  }
  const lacuna::models::SdumcWeights& weights() const { return weights_; }

  void run(const Sink<T>& to) {
    const auto sink = [&](const std::string& name, const auto& array) { to(name, host(array)); };
    {
      const auto flows = forward();
      const auto terms = losses(flows, weights_);
      write_flow(flows.complete, 0, to);
      write_flow(flows.missing, 1, to);
      sink("loss/full", terms.full.value());
      sink("loss/missing", terms.missing.value());
      sink("loss/text", terms.text.value());
      sink("loss/query", terms.query.value());
      sink("loss/feat", terms.feature.value());
      sink("loss/rnc", terms.contrast.value());
      sink("loss/total", terms.total.value());
      if (request_.gradients) {
        terms.total.backward();
        write_gradients("grad/", to);
      }
    }
    if (request_.steps > 0) train(to);
  }

  /// Gradients that arrived, under the authors' names.
  void write_gradients(const std::string& prefix, const Sink<T>& sink) {
    lacuna::for_each_parameter(network_, [&](const std::string& path, auto& parameter) {
      if (parameter.has_grad()) sink(prefix + lacuna::models::sdumc_pytorch_name(path), host(parameter.grad()).clone());
    });
    lacuna::zero_grad(network_);
  }

 private:
  static auto host(const auto& array) { return lacuna::to_device<lacuna::Cpu>(array); }

  void load_network(const lacuna::io::Npz& params) {
    const auto shape = [&](const std::string& name) { return params.header("par/" + name).shape; };
    lacuna::models::SdumcOptions options;
    for (int m = 0; m < 3; ++m)
      options.inputs.push_back(shape("frame_dim_reshape_" + std::to_string(m) + ".weight")[1]);
    options.width = shape("frame_dim_reshape_0.weight")[0];
    options.fused = shape("cross_audio_mlp.3.weight")[0];
    options.contrast = shape("orgin_linear_change.0.weight")[0];
    options.bottleneck = shape("missing_text_imagination_mlp.encoder_0.0.weight")[0];
    options.fused_bottleneck = shape("missing_cross_text_query_imagination_mlp.encoder_0.0.weight")[0];
    using lacuna::models::Imagination;
    options.imagination =
        request_.variant == "nomia" ? Imagination::off
        : request_.variant == "mia" ? Imagination::transition
        : request_.variant == "mia_xt"
            ? Imagination::input
            : throw lacuna::OptionError("--variant: '" + request_.variant + "' is none of nomia, mia, mia_xt");
    options.padding =
        request_.padding == "masked" ? lacuna::models::Padding::masked
        : request_.padding == "published"
            ? lacuna::models::Padding::published
            : throw lacuna::OptionError("--padding: '" + request_.padding + "' is none of masked, published");
    lacuna::Random random(0);
    network_ = lacuna::models::SdumcNetwork<T, D>(options, random);
    lacuna::for_each_parameter(network_, [&](const std::string& path, auto& parameter) {
      const std::string name = "par/" + lacuna::models::sdumc_pytorch_name(path);
      const auto numbers = params.get(name);
      if (!(numbers.shape() == parameter.shape()))
        throw lacuna::IoError(lacuna::detail::cat(params.path(), ": array '", name, "' has shape ", numbers.shape(),
                                                  ", expected ", parameter.shape()));
      parameter.node()->value.assign(numbers.template as<T>());
    });
    // arrays that this variant does not train stay as they are
    for (const std::string& name : params.names()) {
      if (!name.starts_with("par/")) continue;
      bool known = false;
      lacuna::for_each_parameter(network_, [&](const std::string& path, auto&) {
        known = known || name == "par/" + lacuna::models::sdumc_pytorch_name(path);
      });
      if (!known) {
        const auto array = params.get(name);
        lacuna::Array<T> numbers(array.shape());
        numbers.assign(array.template as<T>());
        untrained_.emplace_back(name.substr(4), numbers);
      }
    }
    // The modules with MIA have one more layer that nothing uses, a normalisation over the views; without numbers in
    // the file it is as such a layer starts.
    if (network_.imagination.empty() || params.contains("par/normali.weight")) return;
    const lacuna::Shape views{index_t(network_.views.size())};
    for (const auto& [name, value] : {std::pair{"normali.weight", T(1)}, std::pair{"normali.bias", T(0)}}) {
      lacuna::Array<T> numbers(views);
      numbers.assign(std::vector<T>(network_.views.size(), value));
      untrained_.emplace_back(name, numbers);
    }
  }

  void load_inputs(const lacuna::io::Npz& inputs) {
    const auto stream = [&](const std::string& name) {
      const auto frames = inputs.tensor<T, 3>("in/" + name);
      const auto lengths = inputs.get("in/len_" + name).template as<index_t>();
      return lacuna::data::to_device<D>(
          lacuna::models::masked_stream(frames, lacuna::mask_from_lengths(lengths, frames.extent(1))));
    };
    for (const char* name : {"audio", "text", "video"}) streams_.push_back(stream(name));
    simulated_ = stream("feat4");
    labels_ = lacuna::to_device<D>(inputs.tensor<T, 1>("in/label"));
    const auto w = inputs.get("cfg/weights").as<double>();
    if (w.size() != 6) throw lacuna::IoError(inputs.path() + ": array 'cfg/weights' must hold six numbers");
    weights_ = {w[0], w[1], w[2], w[3], w[4], w[5]};
  }

  void load_masks(const lacuna::io::Npz& file) {
    std::vector<std::string> names = file.names();
    std::sort(names.begin(), names.end());  // they begin with their call number
    for (const std::string& name : names)
      for (int f = 0; f < 2; ++f)
        if (name.starts_with("mask" + std::to_string(f) + "/")) {
          const auto array = file.get(name);
          lacuna::Array<double> factors(array.shape());
          factors.assign(array.template as<double>());
          masks_[f].push_back({name, factors});
        }
  }

  void train(const Sink<T>& to) {
    const auto sink = [&](const std::string& name, const auto& array) { to(name, host(array)); };
    const double rate = request_.schedule == "sched" ? 1e-4 / 5 : 1e-4;  // the warm-up's first epoch is a fifth
    const std::string prefix = request_.schedule + "/";
    const auto packed = lacuna::pack<T, D>(network_);
    const std::vector<T> start = packed.values.to_vector();
    lacuna::optim::Adam<T, D> adam(packed, {.learning_rate = rate, .weight_decay = 1e-5});
    std::vector<T> totals;
    const auto number = [](T value) { return lacuna::Tensor<T, 0>::full({}, value); };
    for (int step = 1; step <= request_.steps; ++step) {
      packed.zero_grad();
      const auto terms = losses(forward(), weights_);
      totals.push_back(terms.total.item());
      terms.total.backward();
      adam.step();
      if (step != 1 && step != request_.steps) continue;
      const std::string n = std::to_string(step);
      for (const auto& [name, numbers] : untrained_) sink(prefix + "step" + n + "/" + name, numbers);
      for (std::size_t i = 0; i < packed.segments.size(); ++i) {
        const auto& segment = packed.segments[i];
        const std::string name = lacuna::models::sdumc_pytorch_name(segment.path);
        const lacuna::Shape shape = segment.node->value.shape();
        sink(prefix + "step" + n + "/" + name, segment.node->value);
        if (adam.steps()[i] == 0) continue;
        sink(prefix + "m" + n + "/" + name, adam.first_moment().window(segment.offset, shape));
        sink(prefix + "v" + n + "/" + name, adam.second_moment().window(segment.offset, shape));
        if (step != request_.steps) continue;
        lacuna::Array<T> delta(shape);
        const std::vector<T> now = segment.node->value.to_vector();
        for (index_t k = 0; k < delta.size(); ++k)
          delta.data()[k] = now[std::size_t(k)] - start[std::size_t(segment.offset + k)];
        sink("delta/" + name, delta);
      }
    }
    sink(prefix + "lr", number(T(rate)));
    lacuna::Array<T> before(lacuna::Shape{index_t(totals.size())});
    before.assign(totals);
    sink(prefix + "total_before_step", before);
  }

  SdumcRequest request_;
  lacuna::models::SdumcNetwork<T, D> network_;
  lacuna::data::Streams<T, D> streams_;
  lacuna::data::Stream<T, D> simulated_;
  lacuna::Tensor<T, 1, D> labels_;
  lacuna::models::SdumcWeights weights_;
  std::vector<lacuna::DropoutTape::Entry> masks_[2];
  std::vector<std::pair<std::string, lacuna::Array<T>>> untrained_;
};

}  // namespace replay
