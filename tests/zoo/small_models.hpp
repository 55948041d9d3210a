/// Every registered model, small enough to be trained in a fraction of a second, and data for it.
#pragma once

#include "lacuna/data/synthetic.hpp"
#include "lacuna/zoo/entry.hpp"
#include "lacuna/zoo/predictor.hpp"
#include "models/small_sets.hpp"

namespace lacuna::test {

/// NAME with the smallest sizes that its options allow.
inline std::string small_spec(const std::string& name) {
  std::string text = name;
  for (const zoo::OptionInfo& option : zoo::registry().options(name))
    for (const char* setting : {"epochs=1",
                                "batch=16",
                                "width=8",
                                "hidden=8",
                                "fused=8",
                                "contrast=4",
                                "num_heads=2",
                                "depth=1",
                                "layers=1",
                                "simulator_width=8",
                                "simulator_epochs=1",
                                "ae_layers=8/4",
                                "blocks=1",
                                "critic_hidden=4",
                                "teacher_count=1",
                                "text_hidden=4",
                                "first_hidden=4",
                                "second_hidden=4",
                                "text_out=4",
                                "memory=4",
                                "attention_hidden=4",
                                "update_hidden=4",
                                "keep_hidden=4",
                                "write_hidden=4",
                                "inner=4",
                                "first_out=4",
                                "second_out=4",
                                "text_post=4",
                                "first_post=4",
                                "second_post=4",
                                "low_hidden=4",
                                "high_hidden=4",
                                "stream_frames=8/8/8",
                                "mixer_frames=8",
                                "mixer_hidden=4/3/4",
                                "mixer_out=4/3/4",
                                "time_heads=2",
                                "gru_layers=1",
                                "fused_sizes=4/4/4",
                                "cls_layers=8",
                                "graph_hidden=4",
                                "projected=1",
                                "flow_steps=2",
                                "flow_hidden=4",
                                "score_frames=8",
                                "score_channels=8/8/8",
                                "score_embedding=4",
                                "sampler_steps=10"})
      if (std::string(setting).substr(0, option.name.size() + 1) == option.name + "=" && !option.value.empty())
        text += std::string(":") + setting;
  return text;
}

inline zoo::Request request_for(const data::Dataset& data, const std::string& dtype = "f32") {
  zoo::Request request{data.modality_names(), data.dimensions(), 0, {}, dtype, "cpu"};
  if (data.train.labels.empty()) request.classes = data.class_count;
  return request;
}

/// One training, and its state as a file holds it.
struct SmallTrained {
  lab::Trained trained;
  State state;
};
inline SmallTrained train_small(const std::string& name, const data::Dataset& data, const std::string& dtype) {
  const lab::System system = zoo::registry().make(zoo::parse_model(small_spec(name)), request_for(data, dtype));
  const data::Dataset learning = lab::without_test(data);
  SmallTrained result{*system.train({.data = learning, .seed = 3}), State()};
  result.state =
      zoo::with_card(result.trained.state, zoo::registry().card(small_spec(name), dtype, data, result.trained.state));
  return result;
}

}  // namespace lacuna::test
