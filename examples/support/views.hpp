// Several views of the same samples, one vector each: mfeat_six_views.npz, or a synthetic set of the same kind.
#pragma once

#include <algorithm>
#include <cmath>
#include <lacuna/io/npz.hpp>
#include <lacuna/lacuna.hpp>
#include <map>

namespace support {

using lacuna::index_t;

/// One split: a matrix (N, d) per view, and class numbers (N).
struct ViewSplit {
  std::map<std::string, lacuna::Tensor<float, 2>> views;
  std::vector<index_t> labels;
  index_t size() const { return index_t(labels.size()); }
};
struct ViewData {
  ViewSplit train, test;
  index_t classes = 0;
};

inline lacuna::Tensor<float, 2> rows_of(const lacuna::Tensor<float, 2>& x, std::span<const index_t> rows) {
  lacuna::Tensor<float, 2> chosen({index_t(rows.size()), x.extent(1)});
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy_n(x.data() + rows[i] * x.extent(1), x.extent(1), chosen.data() + index_t(i) * x.extent(1));
  return chosen;
}

/// All views side by side, in the order of their names.
inline lacuna::Tensor<float, 2> joined(const ViewSplit& split) {
  std::vector<lacuna::Variable<float, 2>> parts;
  for (const auto& [name, x] : split.views) parts.emplace_back(x);
  return concat(parts, -1).value();
}
inline std::vector<index_t> labels_of(const ViewSplit& split, std::span<const index_t> rows) {
  std::vector<index_t> chosen;
  for (const index_t row : rows) chosen.push_back(split.labels[std::size_t(row)]);
  return chosen;
}

/// Mean 0 and variance 1 in the training split.
inline void standardize(lacuna::Tensor<float, 2>& train, lacuna::Tensor<float, 2>& test) {
  for (index_t f = 0; f < train.extent(1); ++f) {
    double sum = 0, squares = 0;
    for (index_t i = 0; i < train.extent(0); ++i) sum += train(i, f);
    const double mean = sum / double(train.extent(0));
    for (index_t i = 0; i < train.extent(0); ++i) squares += (train(i, f) - mean) * (train(i, f) - mean);
    const double deviation = std::sqrt(squares / double(train.extent(0)));
    for (auto* x : {&train, &test})
      for (index_t i = 0; i < x->extent(0); ++i)
        (*x)(i, f) = float(((*x)(i, f) - mean) / (deviation > 0 ? deviation : 1));
  }
}

/// Six views of ten classes, each a noisy nonlinear picture of ten shared factors.
inline ViewData synthetic_views() {
  ViewData data{.train = {}, .test = {}, .classes = 10};
  lacuna::Random random(1);
  auto number = [stream = random.stream(), i = std::uint64_t(0)]() mutable { return stream.normal(i++); };
  std::vector<double> centres(100), maps;
  for (double& c : centres) c = number();
  const std::map<std::string, index_t> widths{{"fac", 40}, {"fou", 30}, {"kar", 20},
                                              {"mor", 6},  {"pix", 50}, {"zer", 16}};
  for (const auto& [name, width] : widths)
    for (index_t k = 0; k < 10 * width; ++k) maps.push_back(number() / std::sqrt(10.0));
  for (auto [split, count] : {std::pair(&data.train, index_t(1200)), std::pair(&data.test, index_t(500))}) {
    for (const auto& [name, width] : widths) split->views[name] = lacuna::Tensor<float, 2>({count, width});
    for (index_t i = 0; i < count; ++i) {
      const index_t label = random.below(10);
      split->labels.push_back(label);
      double factor[10];
      for (index_t k = 0; k < 10; ++k) factor[k] = centres[std::size_t(label * 10 + k)] + 0.7 * number();
      const double* map = maps.data();
      for (const auto& [name, width] : widths)
        for (index_t f = 0; f < width; ++f, map += 10) {
          double sum = 0;
          for (index_t k = 0; k < 10; ++k) sum += map[k] * factor[k];
          split->views[name](i, f) = float(std::tanh(sum) + 0.3 * number());
        }
    }
  }
  return data;
}

/// `path`: an .npz with {train,test}_VIEW (N, d) and {train,test}_class (N); empty: the synthetic set. Standardised.
inline ViewData load_views(const std::string& path) {
  ViewData data = path.empty() ? synthetic_views() : ViewData{};
  if (!path.empty()) {
    const lacuna::io::Npz file(path);
    for (const std::string& name : file.names())
      for (auto [split, prefix] : {std::pair(&data.train, "train_"), std::pair(&data.test, "test_")})
        if (name.starts_with(prefix) && file.header(name).shape.rank() == 2)
          split->views[name.substr(std::string(prefix).size())] = file.tensor<float, 2>(name);
    data.train.labels = file.get("train_class").as<index_t>();
    data.test.labels = file.get("test_class").as<index_t>();
    for (const index_t label : data.train.labels) data.classes = std::max(data.classes, label + 1);
  }
  for (auto& [name, train] : data.train.views) standardize(train, data.test.views.at(name));
  return data;
}

}  // namespace support
