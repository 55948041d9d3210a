/// Named values: what a model, an optimizer or a trainer hands to a checkpoint, and takes back from it.
///
///     void save_state(State& state) const { state.put("width", width); state.put("mean", mean); }
///     void load_state(const State& state) { state.get("width", width); state.get("mean", mean); }
///
/// Numbers, flags, texts, lists of these, and arrays of float or double with their shape. Arrays share the storage of
/// the tensor they were put in from. `under` and `put` of another state nest by "name/". What names its fields
/// (core/fields.hpp) needs no list of its own: `state.put_fields(options)`, `state.get_fields(options)`; as a value it nests
/// by "name/", a list of such has its length under "name" and element i under "name.i/", a list of named numbers its names
/// under "name.names". Reading a value that is missing or of another kind throws IoError with the place, the full name,
/// what was found and what was expected.
#pragma once

#include <bit>
#include <concepts>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "lacuna/core/fields.hpp"
#include "lacuna/core/tensor.hpp"

namespace lacuna {
namespace detail {

template <class V>
inline constexpr bool is_state_list = false;
template <class E>
inline constexpr bool is_state_list<std::vector<E>> = true;

using NamedNumber = std::pair<std::string, double>;

}  // namespace detail

class State {
 public:
  using Integers = std::vector<std::int64_t>;
  using Texts = std::vector<std::string>;
  using Value = std::variant<std::string, Texts, Integers, Array<float>, Array<double>>;

  /// `origin` is the file name of messages.
  explicit State(std::string origin = "state") : origin_(std::move(origin)) {}

  template <class V>
  void put(const std::string& name, const V& value) {
    if constexpr (std::is_same_v<V, State>) {
      for (const auto& [inner, stored] : value.values_) values_[name + "/" + inner] = stored;
    } else if constexpr (std::is_convertible_v<V, std::string>) {
      values_[name] = std::string(value);
    } else if constexpr (std::is_enum_v<V>) {
      values_[name] = Integers{std::int64_t(value)};
    } else if constexpr (std::integral<V>) {
      values_[name] = Integers{std::bit_cast<std::int64_t>(widen(value))};
    } else if constexpr (std::floating_point<V>) {
      values_[name] = numbers(Shape{}, std::vector<double>{double(value)});
    } else if constexpr (detail::is_state_list<V>) {
      put_list(name, value);
    } else if constexpr (Reflected<V>) {
      State inner;
      inner.put_fields(value);
      put(name, inner);
    } else {
      using T = typename V::scalar;
      if (!value.defined()) throw Error(detail::cat("state: '", name, "' is an array without numbers"));
      values_[name] = static_cast<const Array<T>&>(value);
    }
  }

  /// Fills `value`; its type says what is expected.
  template <class V>
  void get(const std::string& name, V& value) const {
    if constexpr (std::is_same_v<V, std::string> || std::is_same_v<V, Texts> || std::is_same_v<V, Array<float>> ||
                  std::is_same_v<V, Array<double>>) {
      value = find<V>(name);
    } else if constexpr (std::is_enum_v<V>) {
      value = V(single<std::int64_t>(name, find<Integers>(name)));
    } else if constexpr (std::integral<V>) {
      value = single<V>(name, find<Integers>(name));
    } else if constexpr (std::floating_point<V>) {
      const Array<double>& array = find<Array<double>>(name);
      if (array.size() != 1) fail(name, detail::cat("has shape ", array.shape(), ", expected one number"));
      value = V(array.data()[0]);
    } else if constexpr (detail::is_state_list<V>) {
      get_list(name, value);
    } else if constexpr (Reflected<V>) {
      under(name).get_fields(value);
    } else {  // Tensor<T, R>
      using T = typename V::scalar;
      const Array<T>& array = find<Array<T>>(name);
      if (array.shape().rank() != V::rank)
        fail(name, detail::cat("has shape ", array.shape(), ", expected ", V::rank, V::rank == 1 ? " axis" : " axes"));
      value = V(array);
    }
  }
  template <class V>
  V get(const std::string& name) const {
    V value{};
    get(name, value);
    return value;
  }

  /// Every field of an object under its name.
  template <Reflected X>
  void put_fields(const X& object) {
    for_each_field(object, [&](const char* name, const auto& value) { put(name, value); });
  }
  template <Reflected X>
  void get_fields(X& object) const {
    for_each_field(object, [&](const char* name, auto& value) { get(name, value); });
  }

  bool contains(const std::string& name) const { return values_.count(name) != 0; }
  /// All values whose name starts with "prefix/", under the rest of their names; messages keep the full name.
  State under(const std::string& prefix) const {
    State inner(origin_);
    inner.prefix_ = prefix_ + prefix + "/";
    const std::string begin = prefix + "/";
    for (auto i = values_.lower_bound(begin); i != values_.end() && i->first.compare(0, begin.size(), begin) == 0; ++i)
      inner.values_[i->first.substr(begin.size())] = i->second;
    return inner;
  }

  const std::string& origin() const { return origin_; }
  /// Everything, sorted by name.
  const std::map<std::string, Value>& values() const { return values_; }
  /// For readers of files.
  void put_value(std::string name, Value value) { values_[std::move(name)] = std::move(value); }

  void erase(const std::string& name) { values_.erase(name); }

  [[noreturn]] void fail(const std::string& name, const std::string& what) const {
    throw IoError(detail::cat(origin_, ": '", prefix_, name, "' ", what));
  }

 private:
  template <class V>
  static auto widen(V value) {
    if constexpr (std::is_unsigned_v<V>)
      return std::uint64_t(value);
    else
      return std::int64_t(value);
  }
  static Array<double> numbers(const Shape& shape, const std::vector<double>& from) {
    Array<double> array(shape);
    array.assign(from);
    return array;
  }
  template <class E>
  void put_list(const std::string& name, const std::vector<E>& list) {
    if constexpr (std::is_same_v<E, std::string>) {
      values_[name] = list;
    } else if constexpr (std::is_same_v<E, detail::NamedNumber>) {
      Texts names;
      std::vector<double> values;
      for (const auto& [each, number] : list) names.push_back(each), values.push_back(number);
      put(name + ".names", names);
      put(name, values);
    } else if constexpr (Reflected<E>) {
      put(name, list.size());
      for (std::size_t i = 0; i < list.size(); ++i) put(detail::cat(name, ".", i), list[i]);
    } else if constexpr (std::floating_point<E>) {
      values_[name] = numbers(Shape{index_t(list.size())}, std::vector<double>(list.begin(), list.end()));
    } else {
      Integers integers;
      for (const E& element : list) integers.push_back(std::bit_cast<std::int64_t>(widen(element)));
      values_[name] = std::move(integers);
    }
  }
  template <class E>
  void get_list(const std::string& name, std::vector<E>& list) const {
    list.clear();
    if constexpr (std::floating_point<E>) {
      const Array<double>& array = find<Array<double>>(name);
      if (array.shape().rank() != 1)
        fail(name, detail::cat("has shape ", array.shape(), ", expected a list of numbers"));
      for (index_t i = 0; i < array.size(); ++i) list.push_back(E(array.data()[i]));
    } else if constexpr (std::is_same_v<E, detail::NamedNumber>) {
      const auto names = get<Texts>(name + ".names");
      const auto values = get<std::vector<double>>(name);
      if (names.size() != values.size())
        fail(name, detail::cat("holds ", values.size(), " numbers for ", names.size(), " names"));
      for (std::size_t i = 0; i < names.size(); ++i) list.emplace_back(names[i], values[i]);
    } else if constexpr (Reflected<E>) {
      const auto count = get<std::size_t>(name);
      for (std::size_t i = 0; i < count; ++i) list.push_back(get<E>(detail::cat(name, ".", i)));
    } else {
      for (const std::int64_t stored : find<Integers>(name)) list.push_back(narrow<E>(name, stored));
    }
  }

  template <class V>
  V single(const std::string& name, const Integers& integers) const {
    if (integers.size() != 1) fail(name, detail::cat("holds ", integers.size(), " integers, expected one"));
    return narrow<V>(name, integers[0]);
  }
  template <class V>
  V narrow(const std::string& name, std::int64_t stored) const {
    if constexpr (std::is_same_v<V, bool>) {
      if (stored != 0 && stored != 1) fail(name, detail::cat("is ", stored, ", expected 0 or 1"));
      return stored == 1;
    } else {
      const auto narrowed = V(stored);
      if constexpr (sizeof(V) < 8)
        if (std::int64_t(narrowed) != stored) fail(name, detail::cat("is ", stored, ", which is out of range"));
      return narrowed;
    }
  }

  template <class V>
  static constexpr const char* kind() {
    if constexpr (std::is_same_v<V, std::string>) return "a text";
    if constexpr (std::is_same_v<V, Texts>) return "a list of texts";
    if constexpr (std::is_same_v<V, Integers>) return "integers";
    if constexpr (std::is_same_v<V, Array<float>>) return "numbers of 32 bits";
    return "numbers of 64 bits";
  }
  template <class V>
  const V& find(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) fail(name, "is missing");
    if (const V* value = std::get_if<V>(&found->second)) return *value;
    fail(name, std::visit(
                   [](const auto& held) {
                     return detail::cat("holds ", kind<std::decay_t<decltype(held)>>(), ", expected ", kind<V>());
                   },
                   found->second));
  }

  std::string origin_, prefix_;
  std::map<std::string, Value> values_;
};

}  // namespace lacuna
