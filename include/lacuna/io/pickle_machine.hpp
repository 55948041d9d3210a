/// Reads one pickle, protocols 0 to 5, as data: a stack, a memo, and a tree that grows. Nothing is looked up or called.
///
/// Refused, always by name and byte: names that are not in the allow-list (at the moment they are read, called or not),
/// extension codes, persistent ids outside PyTorch's files, and buffers that travel beside the pickle.
/// Source: CPython, Lib/pickle.py and Lib/pickletools.py.
#pragma once

#include <unordered_map>

#include "lacuna/io/pickle_calls.hpp"

namespace lacuna::detail {

class PickleMachine : private PickleBuilder {
 public:
  /// `torch`: persistent ids are storages of a PyTorch file.
  PickleMachine(ValueTree& target, std::span<const std::uint8_t> bytes, bool torch)
      : PickleBuilder(target, bytes), calls_(*this), torch_(torch) {}

  /// Reads up to STOP, and says which node is the result. `position()` is then the byte behind it.
  Ref run() {
    none_ = add(io::ValueKind::none);
    false_ = add_integer(io::ValueKind::boolean, 0);
    true_ = add_integer(io::ValueKind::boolean, 1);
    while (true) {
      start_ = at;
      const std::uint8_t code = number<std::uint8_t>();
      if (code == '.') break;
      step(code);
    }
    const Ref result = pop();
    if (!stack_.empty() || !marks_.empty()) fail("ends with ", stack_.size(), " more values than its result");
    return result;
  }
  std::size_t position() const { return at; }

 private:
  // --- bytes ---------------------------------------------------------------------------------------------------------
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at)
      fail("needs ", count, " bytes where ", bytes_.size() - at, " are left of ", bytes_.size(),
           "; the file is truncated or damaged");
    const auto* from = reinterpret_cast<const char*>(bytes_.data()) + at;
    at += count;
    return {from, count};
  }
  template <class Unsigned>
  Unsigned number() {
    return load_little<Unsigned>(reinterpret_cast<const std::uint8_t*>(take(sizeof(Unsigned)).data()));
  }
  template <class Unsigned>
  std::string_view counted() {
    return take(number<Unsigned>());
  }
  /// A count that the format stores with a sign.
  std::string_view counted_signed() {
    const auto count = std::int32_t(number<std::uint32_t>());
    if (count < 0) fail("has a length of ", count, "; the file is damaged");
    return take(std::uint32_t(count));
  }
  std::string_view line(bool check_end = true) {
    const auto rest = bytes_.subspan(at);
    const void* end = rest.empty() ? nullptr : std::memchr(rest.data(), '\n', rest.size());
    if (end == nullptr) fail("ends within a line; the file is truncated");
    std::string_view text = take(std::size_t(static_cast<const std::uint8_t*>(end) - rest.data()));
    ++at;
    if (check_end && text.ends_with('\r'))
      fail("has line endings of Windows (CR LF): a copy in text mode changed the file; copy it again in binary mode");
    return text;
  }

  // --- stack and memo ------------------------------------------------------------------------------------------------
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void push(Ref ref) { stack_.push_back(ref); }
  Ref top() const {
    if (stack_.size() <= floor()) fail("takes a value from an empty stack; the file is damaged");
    return stack_.back();
  }
  Ref pop() {
    const Ref ref = top();
    stack_.pop_back();
    return ref;
  }
  /// The values above the last mark, and the mark, leave the stack.
  std::vector<Ref> pop_mark() {
    if (marks_.empty()) fail("looks for a mark that was never set; the file is damaged");
    std::vector<Ref> values(stack_.begin() + std::ptrdiff_t(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return values;
  }
  void put(std::uint64_t index) {
    const Ref ref = top();
    ++memo_count_;
    if (index < at) {  // a writer never numbers further than the bytes it wrote
      if (index >= memo_.size()) memo_.resize(index + 1, nothing);
      memo_[index] = ref;
    } else {
      far_memo_[index] = ref;
    }
  }
  void get(std::uint64_t index) {
    if (index < memo_.size() && memo_[index] != nothing) return push(memo_[index]);
    const auto far = far_memo_.find(index);
    if (far == far_memo_.end())
      fail("asks the memo for entry ", index, ", which was never stored; the file is damaged");
    push(far->second);
  }
  std::uint64_t memo_index() {
    const std::string_view text = line();
    std::uint64_t index = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), index);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
      fail("has memo entry '", printable(text), "', expected a number from 0 to 2^64-1");
    return index;
  }

  // --- values --------------------------------------------------------------------------------------------------------
  void push_text(std::string_view text) {
    if (const std::size_t good = utf8_length(text); good != text.size())
      fail("a str is no valid UTF-8 at its byte ", good, "; the file is damaged");
    push(add_view(io::ValueKind::text, text));
  }
  void push_group(io::ValueKind kind, const std::vector<Ref>& values) {
    push(add_group(kind, values.data(), values.size()));
  }
  void push_tuple(std::size_t count) {
    std::vector<Ref> values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    push_group(io::ValueKind::tuple, values);
  }
  void push_integer(std::string_view text) {
    auto parsed = decimal_integer(text);
    if (!parsed) fail("has '", printable(text), "' for an int, expected at most ", most_digits, " digits");
    push(add_integer(*std::move(parsed)));
  }
  void push_integer_bytes(std::string_view bytes) {
    if (bytes.size() > most_integer_bytes) fail("has an int of ", bytes.size(), " bytes, at most ", most_integer_bytes);
    push(add_integer(binary_integer({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()})));
  }
  void append_to(io::ValueKind wanted, const std::vector<Ref>& values, const char* what) {
    if (kind(top()) != wanted) fail(what, " adds to ", title(top()), ", expected ", name_of(wanted));
    append(top(), values.data(), values.size());
  }
  void set_items(const std::vector<Ref>& values) {
    if (!is_dict(kind(top()))) fail("SETITEMS adds to ", title(top()), ", expected a dict");
    if (values.size() % 2 != 0) fail("SETITEMS has a key without a value; the file is damaged");
    append(top(), values.data(), values.size());
  }
  void push_name(std::string_view module, std::string_view name) {
    const std::size_t which = find_name(module, name);
    if (which == std::size(known_names)) {
      std::string wanted;
      for (std::size_t i = stack_.size(); i-- > 0 && wanted.empty();)
        if (kind(stack_[i]) == io::ValueKind::name) wanted = cat(", for ", title(stack_[i]));
      fail("names ", printable(module), ".", printable(name), wanted,
           ": not in the short list of names that are data, so it is refused; nothing was looked up or run; ",
           advice_for(module, torch_));
    }
    ValueNode fresh;
    fresh.kind = io::ValueKind::name;
    fresh.detail = std::uint32_t(which);
    if (const KnownName& known = known_names[which]; known.what == PickleName::torch_type) {
      fresh.kind = io::ValueKind::type;
      fresh.detail = add_type({std::string(known.element), known.kind, known.item, false, true});
    }
    push(add(fresh));
  }
  void push_call(Ref name, Ref arguments) {
    if (kind(arguments) != io::ValueKind::tuple) fail("a call has ", title(arguments), " for its arguments");
    const std::vector<Ref> args = items(arguments);
    charge(4 * args.size());
    push(calls_.call(name, args));
  }

  void step(std::uint8_t code) {
    switch (code) {
      case 0x80:  // PROTO
        if (const auto version = number<std::uint8_t>(); version > 5)
          fail("is of protocol ", int(version), ", 0 to 5 are read; the file is damaged or newer than this program");
        return;
      case 0x95:  // FRAME
        if (const auto size = number<std::uint64_t>(); size > bytes_.size() - at)
          fail("has a frame of ", size, " bytes where ", bytes_.size() - at, " are left; the file is truncated");
        return;
      case 'N':
        return push(none_);
      case 0x88:
        return push(true_);
      case 0x89:
        return push(false_);
      case 'I': {
        const std::string_view text = line();
        if (text == "00" || text == "01") return push(text == "01" ? true_ : false_);
        return push_integer(text);
      }
      case 'L':
        return push_integer(line());
      case 'J':
        return push(add_integer(io::ValueKind::integer, std::int32_t(number<std::uint32_t>())));
      case 'K':
        return push(add_integer(io::ValueKind::integer, number<std::uint8_t>()));
      case 'M':
        return push(add_integer(io::ValueKind::integer, number<std::uint16_t>()));
      case 0x8a:
        return push_integer_bytes(counted<std::uint8_t>());
      case 0x8b:
        return push_integer_bytes(counted_signed());
      case 'F': {
        const std::string_view text = line();
        const auto real = decimal_real(text);
        if (!real) fail("has '", printable(text), "' for a float; the file is damaged");
        return push(add_real(*real));
      }
      case 'G': {
        const auto bytes = number<std::uint64_t>();  // the highest byte comes first
        std::uint64_t bits = 0;
        for (int i = 0; i < 8; ++i) bits = (bits << 8) | ((bytes >> (8 * i)) & 0xFF);
        return push(add_real(std::bit_cast<double>(bits)));
      }
      default:
        return step_string(code);
    }
  }

  void step_string(std::uint8_t code) {
    switch (code) {
      case 'S': {
        std::string_view text = line();
        while (text.ends_with(' ')) text.remove_suffix(1);
        auto bytes = quoted_bytes(text);
        if (!bytes) fail("has a string without its quotes or with a bad escape; the file is damaged");
        return push(add_text(io::ValueKind::text8, *std::move(bytes)));
      }
      case 'U':
        return push(add_view(io::ValueKind::text8, counted<std::uint8_t>()));
      case 'T':
        return push(add_view(io::ValueKind::text8, counted_signed()));
      case 'V': {
        auto text = unescaped_text(line(false));
        if (!text) fail("has a str with a bad \\u escape; the file is damaged");
        return push(add_text(io::ValueKind::text, *std::move(text)));
      }
      case 'X':
        return push_text(counted<std::uint32_t>());
      case 0x8c:
        return push_text(counted<std::uint8_t>());
      case 0x8d:
        return push_text(counted<std::uint64_t>());
      case 'C':
        return push(add_view(io::ValueKind::bytes, counted<std::uint8_t>()));
      case 'B':
        return push(add_view(io::ValueKind::bytes, counted<std::uint32_t>()));
      case 0x8e:
        return push(add_view(io::ValueKind::bytes, counted<std::uint64_t>()));
      case 0x96:
        return push(add_view(io::ValueKind::byte_array, counted<std::uint64_t>()));
      default:
        return step_group(code);
    }
  }

  void step_group(std::uint8_t code) {
    switch (code) {
      case ']':
        return push(add(io::ValueKind::list));
      case '}':
        return push(add(io::ValueKind::dict));
      case ')':
        return push(add(io::ValueKind::tuple));
      case 0x8f:
        return push(add(io::ValueKind::set));
      case 'l':
        return push_group(io::ValueKind::list, pop_mark());
      case 't':
        return push_group(io::ValueKind::tuple, pop_mark());
      case 0x91:
        return push_group(io::ValueKind::frozen_set, pop_mark());
      case 'd': {
        const auto values = pop_mark();
        push(add(io::ValueKind::dict));
        return set_items(values);
      }
      case 0x85:
      case 0x86:
      case 0x87:
        return push_tuple(code - 0x84u);
      case 'a': {
        const Ref value = pop();
        return append_to(io::ValueKind::list, {value}, "APPEND");
      }
      case 'e': {
        const auto values = pop_mark();
        return append_to(io::ValueKind::list, values, "APPENDS");
      }
      case 0x90: {
        const auto values = pop_mark();
        return append_to(io::ValueKind::set, values, "ADDITEMS");
      }
      case 's': {
        const Ref value = pop(), key = pop();
        return set_items({key, value});
      }
      case 'u':
        return set_items(pop_mark());
      case '(':
        return marks_.push_back(stack_.size());
      case '0':
        if (!marks_.empty() && marks_.back() == stack_.size()) return marks_.pop_back();
        pop();
        return;
      case '1':
        pop_mark();
        return;
      case '2':
        return push(top());
      case 'p':
        return put(memo_index());
      case 'q':
        return put(number<std::uint8_t>());
      case 'r':
        return put(number<std::uint32_t>());
      case 0x94:
        return put(memo_count_);
      case 'g':
        return get(memo_index());
      case 'h':
        return get(number<std::uint8_t>());
      case 'j':
        return get(number<std::uint32_t>());
      default:
        return step_class(code);
    }
  }

  void step_class(std::uint8_t code) {
    switch (code) {
      case 'c': {
        const std::string_view module = line(), name = line();
        return push_name(module, name);
      }
      case 0x93: {
        const Ref name = pop(), module = pop();
        if (kind(name) != io::ValueKind::text || kind(module) != io::ValueKind::text)
          fail("STACK_GLOBAL takes its name from ", title(module), " and ", title(name), ", expected two str");
        return push_name(view(module), view(name));
      }
      case 'R': {
        const Ref arguments = pop(), name = pop();
        return push_call(name, arguments);
      }
      case 'b': {
        const Ref state = pop();
        return calls_.build(top(), state);
      }
      case 'i': {
        const std::string_view module = line(), name = line();
        push_name(module, name);
        fail("INST makes an object of ", title(top()), ", which no data file does");
      }
      case 'o':
        fail("OBJ makes an object of a class, which no data file does");
      case 0x81:
      case 0x92:
        fail(code == 0x81 ? "NEWOBJ" : "NEWOBJ_EX", " makes an object of a class, which no data file does");
      case 0x82:
      case 0x83:
      case 0x84:
        fail("EXT names something of a private registry of the program that wrote it, which cannot be known");
      case 'P':
        fail("has a persistent id as text, which is not read");
      case 'Q':
        if (!torch_)
          fail("has a persistent id: a part of the data lies outside the pickle; a PyTorch file must be read whole");
        return push(calls_.torch().persistent(pop()));
      case 0x97:
      case 0x98:
        fail("needs a buffer that lies outside the pickle (buffer_callback was used); save again without it");
      default: {
        constexpr char digits[] = "0123456789abcdef";
        fail("has unknown operation 0x", digits[code >> 4], digits[code & 15], "; the file is damaged or no pickle");
      }
    }
  }

  static constexpr Ref nothing = 0xFFFFFFFFu;

  PickleCalls calls_;
  bool torch_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::vector<Ref> memo_;
  std::unordered_map<std::uint64_t, Ref> far_memo_;
  std::uint64_t memo_count_ = 0;
  Ref none_ = 0, false_ = 0, true_ = 0;
};

}  // namespace lacuna::detail
