/// What the names of the allow-list do when a pickle "calls" them or sets their state: build one value out of others.
#pragma once

#include "lacuna/io/pickle_numpy.hpp"
#include "lacuna/io/pickle_torch.hpp"

namespace lacuna::detail {

class PickleCalls {
 public:
  using Ref = PickleBuilder::Ref;
  using Args = std::vector<Ref>;

  explicit PickleCalls(PickleBuilder& builder) : b_(builder), numpy_(builder), torch_(builder) {}

  PickleTorch& torch() { return torch_; }

  Ref call(Ref name, const Args& args) {
    if (b_.kind(name) != io::ValueKind::name) b_.fail("REDUCE calls ", b_.title(name), ", expected a name");
    switch (known_names[b_.node(name).detail].what) {
      case PickleName::reconstruct:
        return numpy_.reconstruct(args);
      case PickleName::scalar:
        return numpy_.scalar(args);
      case PickleName::from_buffer:
        return numpy_.from_buffer(args);
      case PickleName::dtype:
        return numpy_.dtype(args);
      case PickleName::encode:
        return encoded(io::ValueKind::bytes, name, args);
      case PickleName::bytes:
        if (!args.empty()) break;
        return b_.add_view(io::ValueKind::bytes, {});
      case PickleName::byte_array:
        if (args.empty()) return b_.add_view(io::ValueKind::byte_array, {});
        if (args.size() == 1 && is_bytes(args[0])) return b_.add_view(io::ValueKind::byte_array, b_.view(args[0]));
        return encoded(io::ValueKind::byte_array, name, args);
      case PickleName::set:
        return group(io::ValueKind::set, name, args);
      case PickleName::frozen_set:
        return group(io::ValueKind::frozen_set, name, args);
      case PickleName::ordered_dict:
        return ordered_dict(name, args);
      case PickleName::default_dict:
        if (args.empty() || (args.size() == 1 && (b_.is_name(args[0], PickleName::factory) ||
                                                  b_.is_name(args[0], PickleName::set) || is_none(args[0]))))
          return b_.add(io::ValueKind::dict);
        break;
      case PickleName::tensor:
        return torch_.tensor(args);
      case PickleName::tensor_of_bytes:
        return torch_.tensor_of_bytes(args);
      case PickleName::parameter:
        return torch_.parameter(args);
      case PickleName::size:
        if (args.size() != 1 || b_.kind(args[0]) != io::ValueKind::tuple) break;
        return args[0];
      case PickleName::load_from_bytes:
        b_.fail("holds a PyTorch tensor inside a plain pickle (torch.storage._load_from_bytes), which is not read; ",
                "save NumPy arrays (tensor.numpy()), or the whole with torch.save");
      case PickleName::ndarray:
      case PickleName::factory:
      case PickleName::storage:
      case PickleName::torch_type:
        break;
    }
    b_.fail("calls ", b_.title(name), " with arguments (", args.size(), " of them) that no data file has");
  }

  /// Sets the state of `target`; `state` is what BUILD found.
  void build(Ref target, Ref state) {
    switch (b_.kind(target)) {
      case io::ValueKind::array:
        return numpy_.build_array(target, state);
      case io::ValueKind::type:
        return numpy_.build_dtype(target, state);
      case io::ValueKind::ordered_dict:  // state_dict() keeps versions of the modules beside the weights
        if (is_dict(b_.kind(state)) && b_.items(state).size() == 2 && is_string(b_.kind(b_.items(state)[0])) &&
            b_.view(b_.items(state)[0]) == "_metadata")
          return;
        [[fallthrough]];
      default:
        b_.fail("BUILD sets the state of ", b_.title(target), ", which is not data; save plain values");
    }
  }

 private:
  bool is_none(Ref ref) const { return b_.kind(ref) == io::ValueKind::none; }
  bool is_bytes(Ref ref) const { return b_.kind(ref) == io::ValueKind::bytes || b_.kind(ref) == io::ValueKind::text8; }

  /// Bytes that Python 3 wrote as text for Python 2: every character is one byte.
  Ref encoded(io::ValueKind kind, Ref name, const Args& args) {
    if (args.size() != 2 || b_.kind(args[0]) != io::ValueKind::text || !is_string(b_.kind(args[1])) ||
        (b_.view(args[1]) != "latin1" && b_.view(args[1]) != "latin-1"))
      b_.fail("calls ", b_.title(name), " with ",
              args.size() == 2 && is_string(b_.kind(args[1])) ? printable(b_.view(args[1])) : "other arguments",
              ", expected a str and 'latin1'");
    const std::string_view text = b_.view(args[0]);
    b_.charge(text.size());
    std::string bytes;
    for (std::size_t at = 0; at < text.size();) {
      const std::int64_t code = next_utf8(text, at);
      if (code < 0 || code > 0xFF) b_.fail("bytes are written as text with a character that is no Latin-1");
      bytes += char(std::uint8_t(code));
    }
    return b_.add_text(kind, std::move(bytes));
  }

  Ref group(io::ValueKind kind, Ref name, const Args& args) {
    if (args.empty()) return b_.add(kind);
    if (args.size() != 1 || !(is_sequence(b_.kind(args[0])) || is_set(b_.kind(args[0]))))
      b_.fail("calls ", b_.title(name), " with something else than a list");
    const Args members = b_.items(args[0]);
    b_.charge(4 * members.size());
    return b_.add_group(kind, members.data(), members.size());
  }

  Ref ordered_dict(Ref name, const Args& args) {
    if (args.empty()) return b_.add(io::ValueKind::ordered_dict);
    if (args.size() != 1 || b_.kind(args[0]) != io::ValueKind::list)
      b_.fail("calls ", b_.title(name), " with something else than a list of pairs");
    b_.charge(8 * b_.items(args[0]).size());
    Args flat;
    for (const Ref pair : b_.items(args[0])) {
      if (!is_sequence(b_.kind(pair)) || b_.items(pair).size() != 2)
        b_.fail("calls ", b_.title(name), " with ", b_.title(pair), ", expected pairs");
      flat.insert(flat.end(), b_.items(pair).begin(), b_.items(pair).end());
    }
    return b_.add_group(io::ValueKind::ordered_dict, flat.data(), flat.size());
  }

  PickleBuilder& b_;
  PickleNumpy numpy_;
  PickleTorch torch_;
};

}  // namespace lacuna::detail
