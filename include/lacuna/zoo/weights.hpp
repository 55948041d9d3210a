/// The parameters of a stored model as a file of tensors for PyTorch, and back.
///
///     zoo::save_weights("mine.safetensors", state);             // or mine.pt: torch.load(..., weights_only=True)
///     State same = zoo::load_weights(zoo::stored_model(safetensors), tensors).state;
///
/// Names and layouts: zoo/pytorch_names.hpp, or a mapping of one's own. A file of safetensors also holds, as the text
/// "lacuna" beside the tensors, everything that the model has besides them: sizes, options, scales, names of streams; it is
/// read back to the same bits without anything else. Loading demands every tensor in its shape and precision, and changes
/// nothing otherwise: IoError with the tensor, the parameter, what was found and what was expected.
#pragma once

#include <algorithm>

#include "lacuna/io/npz.hpp"
#include "lacuna/io/pytorch_writer.hpp"
#include "lacuna/io/safetensors_writer.hpp"
#include "lacuna/io/state_json.hpp"
#include "lacuna/zoo/pytorch_names.hpp"

namespace lacuna::detail {

/// A shape of another first length.
inline Shape with_rows(const Shape& shape, index_t rows) {
  std::vector<index_t> lengths(shape.begin(), shape.end());
  lengths.at(0) = rows;
  return Shape(lengths.data(), int(lengths.size()));
}

/// The parts of a tensor one under the other. T: of the model.
template <class T>
Array<T> stacked(const State& parameters, const zoo::PytorchTensor& tensor) {
  if (tensor.paths.size() == 1) return parameters.get<Array<T>>(tensor.paths[0]);
  std::vector<T> numbers;
  index_t rows = 0;
  Shape shape;
  for (const std::string& path : tensor.paths) {
    const auto part = parameters.get<Array<T>>(path);
    numbers.insert(numbers.end(), std::as_const(part).data(), std::as_const(part).data() + part.size());
    rows += part.shape()[0];
    shape = part.shape();
  }
  Array<T> all(with_rows(shape, rows));
  all.assign(numbers);
  return all;
}

}  // namespace lacuna::detail

namespace lacuna::zoo {

/// Writes .safetensors, .pt or .pth, by the name of the file. Throws IoError, OptionError.
inline void save_weights(const std::string& path, const State& state, const NamePatterns& names = {}) {
  std::vector<PytorchTensor> tensors = pytorch_tensors(state);
  rename_tensors(tensors, names);
  const State parameters = state.under("parameters");
  const bool wide = card_of(state).dtype == "f64";
  const auto each = [&](auto&& add) {
    for (const PytorchTensor& tensor : tensors)
      wide ? add(tensor.name, lacuna::detail::stacked<double>(parameters, tensor))
           : add(tensor.name, lacuna::detail::stacked<float>(parameters, tensor));
  };
  if (path.ends_with(".pt") || path.ends_with(".pth")) {
    io::PytorchWriter writer(path);
    each([&](const std::string& name, const auto& array) { writer.add(name, array); });
    return writer.close();
  }
  if (!path.ends_with(".safetensors"))
    throw OptionError(lacuna::detail::cat("weights: ", path, " ends in none of .safetensors, .pt, .pth"));
  io::SafetensorsWriter writer;
  each([&](const std::string& name, const auto& array) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(std::as_const(array).data());
    const std::size_t size = std::size_t(array.size()) * (wide ? 8 : 4);
    writer.add_bytes(name, wide ? "F64" : "F32", array.shape(), {bytes, bytes + size});
  });
  State rest;
  for (const auto& [name, value] : state.values())
    if (!name.starts_with("parameters/")) rest.put_value(name, value);
  State places;  // tensors by parameter, since a mapping may have named them
  for (const PytorchTensor& tensor : tensors) places.put_value(tensor.name, tensor.paths);
  writer.add_metadata("lacuna", io::to_json(rest));
  writer.add_metadata("lacuna_parameters", io::to_json(places));
  writer.save(path);
}

struct LoadedWeights {
  State state;
  std::vector<std::string> unused;  ///< tensors of the file that belong to no parameter
};

/// `like` with the numbers of a file in the place of its own. Throws IoError.
inline LoadedWeights load_weights(const State& like, const io::Npz& file, std::vector<PytorchTensor> tensors) {
  LoadedWeights result{like, file.names()};
  const State parameters = like.under("parameters");
  const bool wide = card_of(like).dtype == "f64";
  for (const PytorchTensor& tensor : tensors) std::erase(result.unused, tensor.name);
  for (const PytorchTensor& tensor : tensors) {
    std::string path;
    for (const std::string& one : tensor.paths) path += (path.empty() ? "" : ", ") + one;
    const Shape expected = wide ? lacuna::detail::stacked<double>(parameters, tensor).shape()
                                : lacuna::detail::stacked<float>(parameters, tensor).shape();
    const auto fail = [&](const auto&... what) {
      throw IoError(lacuna::detail::cat(file.path(), ": tensor '", lacuna::detail::printable(tensor.name), "' ",
                                        what..., ", expected ", expected, " of ", wide ? "f64" : "f32", " for ", path));
    };
    if (!file.contains(tensor.name)) {
      std::string others;
      for (std::size_t i = 0; i < std::min<std::size_t>(3, result.unused.size()); ++i)
        others += (i ? ", '" : " '") + lacuna::detail::printable(result.unused[i]) + "'";
      fail("is missing", others.empty() ? "" : "; the file has" + others);
    }
    const io::NpyArray array = file.get(tensor.name);
    if (!(array.shape() == expected)) fail("has shape ", array.shape());
    if (!array.floating()) fail("has type ", array.dtype());
    if (array.item_size() == 8 && !wide) fail("has numbers of 64 bits, which the model would round");
    index_t begin = 0;
    for (const std::string& one : tensor.paths) {
      const auto fill = [&](auto part, const auto& numbers) {
        part = std::remove_cvref_t<decltype(part)>(part.shape());
        part.assign({numbers.data() + begin, std::size_t(part.size())});
        begin += part.size();
        result.state.put_value("parameters/" + one, part);
      };
      if (wide)
        fill(parameters.get<Array<double>>(one), array.as<double>());
      else
        fill(parameters.get<Array<float>>(one), array.as<float>());
    }
  }
  return result;
}

/// The model that `save_weights` wrote as safetensors, from that file alone.
inline State load_weights(const io::Safetensors& file, const io::Npz& tensors) {
  const auto about = file.metadata().find("lacuna"), places = file.metadata().find("lacuna_parameters");
  if (about == file.metadata().end() || places == file.metadata().end())
    throw IoError(
        file.path() +
        ": does not say which model it belongs to; name a stored model of that kind with --like, or --model sdumc");
  State state = io::state_from_json(about->second, file.path());
  const State names = io::state_from_json(places->second, file.path());
  const bool wide = card_of(state).dtype == "f64";
  std::vector<PytorchTensor> parts;
  for (const auto& [name, value] : names.values()) {
    const auto paths = names.get<State::Texts>(name);
    const io::NpyArray array = tensors.get(name);
    const auto count = index_t(paths.size());
    if (count != 1 && (count == 0 || array.rank() == 0 || array.shape()[0] % count != 0))
      throw IoError(lacuna::detail::cat(file.path(), ": tensor '", lacuna::detail::printable(name), "' has shape ",
                                        array.shape(), ", expected ", count, " equal parts"));
    const Shape shape = count == 1 ? array.shape() : lacuna::detail::with_rows(array.shape(), array.shape()[0] / count);
    for (const std::string& path : paths)
      wide ? state.put_value("parameters/" + path, Array<double>(shape))
           : state.put_value("parameters/" + path, Array<float>(shape));
    parts.push_back({name, paths});
  }
  return load_weights(state, tensors, parts).state;
}

}  // namespace lacuna::zoo
