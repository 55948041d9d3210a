/// What the tests of speech and language models share: the oracle's arrays, and how they are compared.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "lacuna/io/npz.hpp"
#include "support/paths.hpp"

namespace speech_test {

using lacuna::Array;
using lacuna::index_t;
using lacuna::Shape;
using lacuna::Tensor;

inline std::string folder() { return lacuna::test::oracle_dir() + "/speech_llm/"; }
inline std::string model(const std::string& name) { return folder() + "models/" + name; }
inline bool have() {
  return lacuna::test::have_oracle() && std::ifstream(folder() + "llm.npz").good() &&
         std::ifstream(folder() + "chain.npz").good();
}

/// One file of the oracle; every array that was not asked for is named at the end.
class Oracle {
 public:
  explicit Oracle(const std::string& file) : npz_(folder() + file) {}

  bool has(const std::string& name) const { return npz_.contains(name); }
  const std::vector<std::string>& names() const { return npz_.names(); }
  Shape shape(const std::string& name) const { return npz_.header(name).shape; }
  template <class T, int R>
  Tensor<T, R> tensor(const std::string& name) {
    seen_.insert(name);
    return npz_.tensor<T, R>(name);
  }
  std::vector<index_t> integers(const std::string& name) {
    seen_.insert(name);
    return npz_.get(name).as<index_t>();
  }
  std::vector<double> numbers(const std::string& name) {
    seen_.insert(name);
    return npz_.get(name).as<double>();
  }
  std::string text(const std::string& name) {
    seen_.insert(name);
    return npz_.get(name).strings().at(0);
  }
  /// Largest difference over the largest entry of the reference; only its first `rows` rows of the axis before the last.
  template <class T>
  void compare(const std::string& name, const Array<T>& found, double allowed) {
    const std::vector<double> reference = numbers(name);
    CHECK_MESSAGE(found.size() == index_t(reference.size()),
                  name << " has " << reference.size() << ", found " << found.size());
    if (found.size() == index_t(reference.size())) compare_numbers(name, found.data(), reference, allowed);
  }
  template <class T>
  void compare_numbers(const std::string& name, const T* found, const std::vector<double>& reference, double allowed) {
    double largest = 1e-3, worst = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      largest = std::max(largest, std::abs(reference[i]));
      const double off = std::abs(double(found[i]) - reference[i]);
      if (!(off <= worst)) worst = off;
    }
    CHECK_MESSAGE(worst <= allowed * largest, name << ": error " << worst / largest << ", allowed " << allowed);
    worst_ = std::max(worst_, worst / largest);
  }
  double worst() const { return worst_; }
  void used(const std::string& name) { seen_.insert(name); }
  /// Arrays that nobody asked for, of names for which `wanted` holds.
  template <class Wanted>
  std::vector<std::string> left(Wanted&& wanted) const {
    std::vector<std::string> list;
    for (const std::string& name : npz_.names())
      if (!seen_.contains(name) && wanted(name)) list.push_back(name);
    return list;
  }

 private:
  lacuna::io::Npz npz_;
  std::set<std::string> seen_;
  double worst_ = 0;
};

/// "a/b/c" → the different a, in order.
inline std::vector<std::string> first_parts(const Oracle& oracle) {
  std::vector<std::string> list;
  for (const std::string& name : oracle.names()) {
    const std::string part = name.substr(0, name.find('/'));
    if (part != name && std::find(list.begin(), list.end(), part) == list.end()) list.push_back(part);
  }
  return list;
}

}  // namespace speech_test
