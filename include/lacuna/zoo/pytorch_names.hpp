/// The parameters of a stored model under PyTorch's names and in its layouts.
///
///     for (const zoo::PytorchTensor& t : zoo::pytorch_tensors(state)) std::puts(t.name.c_str());
///
/// Rules, in this order:
///   SDUMC of three modalities, the student of CorrKD   the names of their PyTorch modules (models/*/pytorch.hpp)
///   A.qkv, A.output                   A.in_proj_weight, A.in_proj_bias, A.out_proj          nn.MultiheadAttention
///   A.query, A.key, A.value, A.output the same, one under the other; of other widths A.q_proj_weight, ...
///   L.attention, L.feed_forward.in, L.feed_forward.out beside L.norm1
///                                     L.self_attn, L.linear1, L.linear2                     nn.TransformerEncoderLayer
///   R.cells.i.weight_x                R.weight_ih_l0, R.weight_ih_l0_reverse, ...           nn.LSTM, nn.GRU
///   C.weight_x of a single cell       C.weight_ih, ...                                      nn.LSTMCell
///   N.running_variance                N.running_var                                         nn.BatchNorm1d
///   anything else                     its path, without "network." in front
/// Layouts need no change: Linear (out, in), Conv1d (out, in, kernel), gates i f g o and r z n. Two recurrent cells that
/// fit both as layers and as directions are taken for directions.
#pragma once

#include <map>

#include "lacuna/models/corrkd/pytorch.hpp"
#include "lacuna/models/sdumc/pytorch.hpp"
#include "lacuna/zoo/card.hpp"

namespace lacuna::zoo {

/// One tensor of PyTorch's, and the parameters that it is made of, one under the other along its first axis.
struct PytorchTensor {
  std::string name;
  std::vector<std::string> paths;
};

}  // namespace lacuna::zoo

namespace lacuna::detail {

inline const Shape& shape_of(const State::Value& value) {
  if (const auto* narrow = std::get_if<Array<float>>(&value)) return narrow->shape();
  return std::get<Array<double>>(value).shape();
}

/// Names by the rules of any module.
class PytorchNames {
 public:
  explicit PytorchNames(const State& parameters) : parameters_(&parameters) {}

  zoo::PytorchTensor operator()(const std::string& path) const {
    const std::size_t dot = path.rfind('.');
    if (dot == std::string::npos) return {path, {path}};
    const std::string owner = path.substr(0, dot), leaf = path.substr(dot + 1);
    const std::size_t up = owner.rfind('.');
    const std::string layer = up == std::string::npos ? "" : owner.substr(0, up), part = owner.substr(up + 1);
    if (part == "qkv") return {outside(layer) + ".in_proj_" + leaf, {path}};
    if (part == "output" && (has(layer + ".qkv.weight") || has(layer + ".value.weight")))
      return {outside(layer) + ".out_proj." + leaf, {path}};
    if (has(layer + ".output.weight") && has(layer + ".value.weight"))
      if (part == "query" || part == "key" || part == "value") return projection(layer, part, leaf, path);
    if (leaf == "weight_x" || leaf == "weight_h" || leaf == "bias_x" || leaf == "bias_h")
      return {recurrent(owner, leaf), {path}};
    if (owner == "network") return {leaf, {path}};
    return {outside(owner) + "." + (leaf == "running_variance" ? "running_var" : leaf), {path}};
  }

 private:
  bool has(const std::string& path) const { return parameters_->contains(path); }
  const Shape& shape(const std::string& path) const { return shape_of(parameters_->values().at(path)); }

  /// The path of a module, with the parts of a Transformer's layer by PyTorch's names.
  std::string outside(std::string module) const {
    for (const auto& [ours, theirs] : {std::pair{".attention", ".self_attn"}, std::pair{".feed_forward.in", ".linear1"},
                                       std::pair{".feed_forward.out", ".linear2"}})
      if (module.ends_with(ours)) {
        const std::string layer = module.substr(0, module.size() - std::string_view(ours).size());
        if (has(layer + ".norm1.weight")) module = layer + theirs;
      }
    return module.starts_with("network.") ? module.substr(8) : module;
  }
  zoo::PytorchTensor projection(const std::string& layer, const std::string& part, const std::string& leaf,
                                const std::string& path) const {
    const std::string q = layer + ".query.", k = layer + ".key.", v = layer + ".value.";
    const bool one = leaf == "bias" || (shape(q + leaf) == shape(k + leaf) && shape(q + leaf) == shape(v + leaf));
    if (one) return {outside(layer) + ".in_proj_" + leaf, {q + leaf, k + leaf, v + leaf}};
    return {outside(layer) + "." + part[0] + "_proj_weight", {path}};
  }
  std::string recurrent(const std::string& owner, const std::string& leaf) const {
    const std::string kind = leaf.starts_with("weight") ? ".weight" : ".bias";
    const std::string gate = leaf.ends_with("_x") ? "_ih" : "_hh";
    const std::size_t dot = owner.rfind('.');
    const std::string list = owner.substr(0, dot);
    if (!list.ends_with(".cells") || list == "network.cells")
      return outside(owner) + kind + gate;  // one step: nn.LSTMCell
    const index_t number = std::stoll(owner.substr(dot + 1));
    const auto cell = [&](index_t i) { return list + "." + std::to_string(i) + ".weight_x"; };
    const bool both = has(cell(1)) && shape(cell(1))[1] == shape(cell(0))[1];
    return detail::cat(outside(list.substr(0, list.size() - 6)), kind, gate, "_l", both ? number / 2 : number,
                       both && number % 2 == 1 ? "_reverse" : "");
  }

  const State* parameters_;
};

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// All parameters and buffers, in the order of their paths. Throws IoError for a state that holds no model.
inline std::vector<PytorchTensor> pytorch_tensors(const State& state) {
  const State parameters = state.under("parameters");
  const Card card = card_of(state);
  const lacuna::detail::PytorchNames general(parameters);
  const bool sdumc =
      card.model.starts_with("sdumc") && state.under("model").get<std::vector<index_t>>("inputs").size() == 3;
  const bool corrkd = card.model.starts_with("corrkd");
  const index_t depth = corrkd ? state.under("model").get<index_t>("depth") : 0;
  std::vector<PytorchTensor> all;
  for (const auto& [path, value] : parameters.values()) {
    if (sdumc && path.starts_with("network.flows."))
      all.push_back({models::sdumc_pytorch_name(path.substr(14)), {path}});
    else if (corrkd && path.starts_with("network.student."))
      all.push_back({models::corrkd_pytorch_name(path.substr(16), depth), {path}});
    else if (PytorchTensor one = general(path); one.paths[0] == path)  // else it comes with the first of them
      all.push_back(std::move(one));
  }
  return all;
}

/// Patterns of ours and theirs, of which the first that fits a name counts; each * stands for any text, and the nth of
/// theirs for what the nth of ours found.
using NamePatterns = std::vector<std::pair<std::string, std::string>>;

}  // namespace lacuna::zoo

namespace lacuna::detail {

/// What the stars of a pattern found, or nothing. Each takes as little as it can.
inline bool match_stars(std::string_view pattern, std::string_view name, std::vector<std::string>& found) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (name.substr(0, star) != pattern.substr(0, star)) return false;
  for (std::size_t end = star; end <= name.size(); ++end) {
    found.emplace_back(name.substr(star, end - star));
    if (match_stars(pattern.substr(star + 1), name.substr(end), found)) return true;
    found.pop_back();
  }
  return false;
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// Names that a mapping changes; what no pattern fits stays as it is. Throws OptionError for a pattern of theirs with more
/// stars than ours has, and where two tensors get one name.
inline void rename_tensors(std::vector<PytorchTensor>& tensors, const NamePatterns& patterns) {
  std::map<std::string, std::string> taken;
  std::vector<PytorchTensor> renamed = tensors;
  for (PytorchTensor& tensor : renamed) {
    const std::string before = tensor.name;
    for (const auto& [ours, theirs] : patterns) {
      std::vector<std::string> found;
      if (!lacuna::detail::match_stars(ours, tensor.name, found)) continue;
      std::string name;
      std::size_t used = 0;
      for (const char c : theirs) {
        if (c == '*' && used == found.size())
          throw OptionError(lacuna::detail::cat("names: '", theirs, "' has more stars than '", ours, "'"));
        name += c == '*' ? found[used++] : std::string(1, c);
      }
      tensor.name = name;
      break;
    }
    const auto [place, fresh] = taken.emplace(tensor.name, before);
    if (!fresh)
      throw OptionError(
          lacuna::detail::cat("names: '", place->second, "' and '", before, "' are both '", tensor.name, "'"));
  }
  tensors = std::move(renamed);
}

}  // namespace lacuna::zoo
