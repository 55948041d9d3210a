/// What a tree must be before anybody sees it: no cycle, no nesting beyond 256, nothing in it but data, and in no dict
/// a key twice (the last one wins, in the place of the first, as in Python). Time and memory are linear in nodes and
/// items, however often they are shared.
#pragma once

#include <cmath>

#include "lacuna/io/value.hpp"

namespace lacuna::detail {

inline constexpr int deepest_nesting = 256;

/// Numbers every value that Python would hash such that two are equal in Python where their numbers are. A node is
/// looked at once, however often it is a key; a tuple is known by the numbers of its items, so that shared ones are
/// walked once.
class KeyNumbers {
 public:
  explicit KeyNumbers(const ValueTree& tree) : tree_(tree) {}

  /// Throws IoError when the value cannot be a key. Cycles and deep nesting must have been refused.
  std::size_t of(std::uint32_t index) {
    if (const auto known = known_.find(index); known != known_.end()) return known->second;
    const std::size_t number = find(index);
    return known_[index] = number;
  }

 private:
  using Texts = std::map<std::string_view, std::size_t>;

  std::size_t find(std::uint32_t index) {
    const ValueNode& node = tree_.nodes[index];
    switch (node.kind) {
      case io::ValueKind::text:
      case io::ValueKind::text8:
        return number(texts_, tree_.bytes(node));
      case io::ValueKind::bytes:
        return number(bytes_, tree_.bytes(node));
      case io::ValueKind::none:
        return number("N");
      case io::ValueKind::boolean:
        return number(cat('n', node.integer));
      case io::ValueKind::integer:
        return number(node.flag == 1 ? 'n' + std::string(tree_.bytes(node)) : cat('n', node.integer));
      case io::ValueKind::real:
        if (std::isnan(node.real)) return number(cat("nan", index));  // equal to no other
        if (node.real == std::floor(node.real) && std::fabs(node.real) < 9.2e18)
          return number(cat('n', std::int64_t(node.real)));
        return number(cat('r', std::bit_cast<std::uint64_t>(node.real)));
      case io::ValueKind::type:
        return number('d' + tree_.types[node.detail].name);
      case io::ValueKind::scalar:
        return number(cat('a', tree_.types[node.detail].name, ' ') + std::string(tree_.bytes(node)));
      case io::ValueKind::tuple:
      case io::ValueKind::frozen_set: {
        std::vector<std::size_t> parts;
        for (const std::uint32_t item : tree_.items(node)) parts.push_back(of(item));
        if (node.kind == io::ValueKind::frozen_set) std::sort(parts.begin(), parts.end());
        std::string text(1, node.kind == io::ValueKind::tuple ? 't' : 'z');
        for (const std::size_t part : parts) text += cat(part, ',');
        return number(std::move(text));
      }
      default:
        throw IoError(
            cat(tree_.name, ": uses ", name_of(node.kind), " as a key of a dict or set, which Python cannot"));
    }
  }
  std::size_t number(Texts& among, std::string_view text) {
    const auto found = among.try_emplace(text, count_);
    if (found.second) ++count_;
    return found.first->second;
  }
  std::size_t number(std::string text) {
    if (const auto found = others_.find(text); found != others_.end()) return found->second;
    kept_.push_back(std::move(text));
    return number(others_, kept_.back());
  }

  const ValueTree& tree_;
  std::map<std::uint32_t, std::size_t> known_;
  Texts texts_, bytes_, others_;
  std::deque<std::string> kept_;
  std::size_t count_ = 0;
};

class TreeCheck {
 public:
  explicit TreeCheck(ValueTree& tree) : tree_(tree), height_(tree.nodes.size(), unseen) {}

  void run() {
    walk();
    KeyNumbers keys(tree_);
    for (std::uint32_t i = 0; i < tree_.nodes.size(); ++i) {
      if (height_[i] < 0) continue;  // not part of the tree
      const ValueNode& node = tree_.nodes[i];
      if (node.detail == ValueTree::no_list) continue;
      if (is_dict(node.kind)) unique(node, 2, keys);
      if (is_set(node.kind)) unique(node, 1, keys);
      if (is_dict(node.kind)) sort_names(node);
    }
  }

 private:
  static constexpr int unseen = -1, open = -2;

  template <class... Pieces>
  [[noreturn]] void fail(const Pieces&... pieces) const {
    throw IoError(cat(tree_.name, ": ", pieces...));
  }
  /// The nodes a node holds; a list of objects stands for itself.
  const std::vector<std::uint32_t>& children(const ValueNode& node) const {
    static const std::vector<std::uint32_t> nothing;
    if (is_dict(node.kind) || is_set(node.kind) || is_sequence(node.kind)) return tree_.items(node);
    if (node.kind != io::ValueKind::array) return nothing;
    const ArrayRecord& record = tree_.arrays[node.detail];
    if (tree_.types[record.type].kind != io::NpyKind::object) return nothing;
    const auto& items = tree_.items(tree_.nodes[record.objects]);
    if (items.size() != std::size_t(record.shape.size()))
      fail("an array of objects of shape ", record.shape, " has ", items.size(), " of them; the file is damaged");
    return items;
  }

  /// Depth first without recursion; `height_` of a node is the longest way down from it.
  void walk() {
    struct Step {
      std::uint32_t node;
      std::size_t next;
    };
    std::vector<Step> path;
    const auto enter = [&](std::uint32_t index) {
      const ValueNode& node = tree_.nodes[index];
      if (node.kind == io::ValueKind::name || node.kind == io::ValueKind::storage)
        fail("holds ", name_of(node.kind), " where data are expected; save arrays, numbers and strings only");
      if (node.kind == io::ValueKind::array && node.detail >= tree_.arrays.size())
        fail("holds an array whose shape and elements never came; the file is damaged");
      if (node.kind == io::ValueKind::type && !tree_.types[node.detail].finished)
        fail("holds a dtype whose byte order never came; the file is damaged");
      height_[index] = open;
      path.push_back({index, 0});
    };
    enter(tree_.root);
    while (!path.empty()) {
      Step& step = path.back();
      const auto& items = children(tree_.nodes[step.node]);
      if (step.next < items.size()) {
        const std::uint32_t child = items[step.next++];
        if (height_[child] == open)
          fail("holds ", name_of(tree_.nodes[child].kind), " that contains itself (a cycle), which no data file needs");
        if (height_[child] == unseen) enter(child);
        continue;
      }
      int height = 0;
      for (const std::uint32_t child : items) height = std::max(height, height_[child] + 1);
      if (height > deepest_nesting) fail("is nested too deep: more than ", deepest_nesting, " levels");
      height_[step.node] = height;
      path.pop_back();
    }
  }

  /// Removes all but the last of equal keys. `step`: 2 for pairs, 1 for members.
  void unique(const ValueNode& node, std::size_t step, KeyNumbers& keys) {
    auto& items = tree_.lists[node.detail];
    std::vector<std::pair<std::size_t, std::size_t>> order;
    order.reserve(items.size() / step);
    for (std::size_t i = 0; i < items.size(); i += step) order.emplace_back(keys.of(items[i]), i);
    std::sort(order.begin(), order.end());
    bool repeated = false;
    for (std::size_t i = 1; i < order.size(); ++i) repeated = repeated || order[i].first == order[i - 1].first;
    if (!repeated) return;
    std::vector<bool> drop(items.size());
    std::size_t first = 0;
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (order[i].first != order[first].first) {
        first = i;
        continue;
      }
      if (step == 2) items[order[first].second + 1] = items[order[i].second + 1];
      for (std::size_t part = 0; part < step; ++part) drop[order[i].second + part] = true;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < items.size(); ++i)
      if (!drop[i]) items[kept++] = items[i];
    items.resize(kept);
  }

  void sort_names(const ValueNode& node) {
    const auto& items = tree_.lists[node.detail];
    if (items.size() < 32 || tree_.sorted.contains(node.detail)) return;
    auto& order = tree_.sorted[node.detail];
    for (std::uint32_t i = 0; 2 * i < items.size(); ++i)
      if (is_string(tree_.nodes[items[2 * i]].kind)) order.push_back(i);
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return tree_.bytes(tree_.nodes[items[2 * a]]) < tree_.bytes(tree_.nodes[items[2 * b]]);
    });
  }

  ValueTree& tree_;
  std::vector<int> height_;
};

/// The value at the root, once the tree is known to be sound. Throws IoError.
inline io::Value finish_tree(std::shared_ptr<ValueTree> tree) {
  TreeCheck(*tree).run();
  return io::Value(std::move(tree));
}

}  // namespace lacuna::detail
