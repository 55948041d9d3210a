/// dtypes, arrays and scalars of NumPy 1 and 2 inside a pickle.
///
/// An array is its bytes in the file, a shape, strides and a dtype; every byte must be accounted for. Elements that are
/// Python objects are a list of values; raw bytes in their place would be pointers, and are refused.
/// Source: numpy/_core/src/multiarray/methods.c (array_setstate), descriptor.c (arraydescr_setstate), numeric.py
/// (_frombuffer).
#pragma once

#include "lacuna/io/pickle_builder.hpp"

namespace lacuna::detail {

class PickleNumpy {
 public:
  using Ref = PickleBuilder::Ref;
  using Args = std::vector<Ref>;

  explicit PickleNumpy(PickleBuilder& builder) : b_(builder) {}

  /// numpy.dtype("f4", False, True); the state that follows says the byte order.
  Ref dtype(const Args& args) {
    if (args.empty() || args.size() > 3 || !is_string(b_.kind(args[0])))
      b_.fail("numpy.dtype is made of something else than its name");
    const std::string_view name = b_.view(args[0]);
    const char letter = name.empty() ? ' ' : name[0];
    std::size_t size = 0;
    const auto digits = std::from_chars(name.data() + (name.empty() ? 0 : 1), name.data() + name.size(), size);
    const bool sized = name.size() > 1 && digits.ec == std::errc() && digits.ptr == name.data() + name.size();
    const bool one = size == 1, power = size == 2 || size == 4 || size == 8;
    const bool known = letter == 'b'                    ? one
                       : letter == 'i' || letter == 'u' ? one || power
                       : letter == 'f'                  ? power
                       : letter == 'c'                  ? size == 8 || size == 16
                       : letter == 'O'                  ? true
                                                        : letter == 'S' || letter == 'U';
    if (!known || !(sized || (letter == 'O' && name.size() == 1)))
      b_.fail("holds an array of dtype ", printable(name),
              ", which is not read; save it as f2-f8, i1-i8, u1-u8, b1, c8, c16, S, U or O (astype; the fields of a "
              "record one by one)");
    ElementType type;
    type.kind = io::NpyKind(letter);
    type.size = letter == 'U' ? 4 * std::min<std::size_t>(size, 0x3FFFFFFF) : size;
    type.finished = false;
    ValueNode fresh;
    fresh.kind = io::ValueKind::type;
    fresh.detail = b_.add_type(std::move(type));
    return b_.add(fresh);
  }

  /// The state of a dtype: (3, order, subdtype, names, fields, itemsize, alignment, flags).
  void build_dtype(Ref ref, Ref state) {
    ElementType& type = b_.tree.types[b_.node(ref).detail];
    if (type.finished) b_.fail("the state of a dtype comes twice");
    if (b_.kind(state) != io::ValueKind::tuple)
      b_.fail("BUILD of a dtype with ", b_.title(state), ", expected a tuple");
    const Args& parts = b_.items(state);
    if (parts.size() != 8 || b_.natural(parts[0], "the version of a dtype") != 3 || !is_string(b_.kind(parts[1])))
      b_.fail("a dtype of ", parts.size(), " parts is not read (dates and records have other ones than plain numbers)");
    for (std::size_t i = 2; i < 5; ++i)
      if (b_.kind(parts[i]) != io::ValueKind::none)
        b_.fail("holds a record dtype (fields or sub-arrays), which is not read; save each field as an array");
    const std::string_view order = b_.view(parts[1]);
    if (order != "<" && order != ">" && order != "|" && order != "=")
      b_.fail("a dtype has byte order '", printable(order), "', expected <, >, | or =");
    if (type.kind == io::NpyKind::bytes || type.kind == io::NpyKind::unicode) {  // the state wins over the name
      const index_t size = b_.natural(parts[5], "the item size of a dtype");
      if (size > 0x7FFFFFFF || (type.kind == io::NpyKind::unicode && size % 4 != 0))
        b_.fail("a dtype has items of ", size, " bytes; the file is damaged");
      type.size = std::size_t(size);
    }
    const bool ordered = type.kind == io::NpyKind::unicode || (type.size > 1 && type.kind != io::NpyKind::bytes);
    constexpr char native = std::endian::native == std::endian::little ? '<' : '>';
    const char letter = type.kind == io::NpyKind::object || !ordered ? '|'
                        : order == "=" || order == "|"               ? native
                                                                     : order[0];
    type.swapped = letter != '|' && letter != native;
    type.name = std::string{letter, char(type.kind)};
    if (type.kind == io::NpyKind::object)
      type.size = 0;
    else
      type.name += std::to_string(type.kind == io::NpyKind::unicode ? type.size / 4 : type.size);
    type.finished = true;
  }

  /// _reconstruct(ndarray, (0,), b"b"): an array whose state follows.
  Ref reconstruct(const Args& args) {
    if (args.size() != 3 || !b_.is_name(args[0], PickleName::ndarray))
      b_.fail("_reconstruct makes ", args.empty() ? "nothing" : b_.title(args[0]), ", expected numpy.ndarray");
    ValueNode fresh;
    fresh.kind = io::ValueKind::array;
    fresh.detail = unfinished;
    return b_.add(fresh);
  }

  /// The state of an array: (version, shape, dtype, in Fortran order, bytes or list).
  void build_array(Ref ref, Ref state) {
    if (b_.node(ref).detail != unfinished) b_.fail("the state of an array comes twice");
    if (b_.kind(state) != io::ValueKind::tuple)
      b_.fail("BUILD of an array with ", b_.title(state), ", expected a tuple");
    const std::size_t count = b_.items(state).size();
    if (count != 4 && (count != 5 || b_.natural(b_.items(state)[0], "the version of an array") > 1))
      b_.fail("the state of an array has ", count, " parts or a version above 1, which is not read");
    Args parts = b_.items(state);
    if (count == 4) parts.insert(parts.begin(), 0);  // NumPy before 1.0 wrote no version
    if (b_.kind(parts[3]) != io::ValueKind::boolean && b_.kind(parts[3]) != io::ValueKind::integer)
      b_.fail("the order of an array is ", b_.title(parts[3]), ", expected a bool");
    ArrayRecord record;
    record.type = type_of(parts[2]);
    record.shape = b_.shape(parts[1]);
    record.strides = dense_strides(record.shape, b_.node(parts[3]).integer != 0);
    const Ref data = parts[4];
    if (b_.tree.types[record.type].kind == io::NpyKind::object) {
      if (b_.kind(data) != io::ValueKind::list)
        b_.fail("an array of objects has ", b_.title(data),
                " for its elements, expected a list (they would be pointers)");
      if (b_.items(data).size() != std::size_t(record.shape.size()))
        b_.fail("an array of objects of shape ", record.shape, " has ", b_.items(data).size(), " of them");
      record.objects = data;  // in C order, also of an array in Fortran order: numpy walks it so, both ways
    } else {
      set_bytes(record, data);
      name_as_native(record);
    }
    finish(ref, record);
  }

  /// _frombuffer(buffer, dtype, shape, "C" or "F"), and of NumPy 2 (buffer, dtype, shape, "K", axes), which stands for
  /// reshape(shape).transpose(axes).
  Ref from_buffer(const Args& args) {
    if (args.size() < 4 || args.size() > 5 || !is_string(b_.kind(args[3])))
      b_.fail("_frombuffer has ", args.size(), " arguments, expected buffer, dtype, shape and order");
    ArrayRecord record;
    record.type = type_of(args[1]);
    record.shape = b_.shape(args[2]);
    if (b_.tree.types[record.type].kind == io::NpyKind::object)
      b_.fail("_frombuffer of objects: they would be pointers");
    const std::string_view order = b_.view(args[3]);
    if (order == "K") {
      transpose(record, args.size() == 5 ? args[4] : args[3]);
    } else if (args.size() == 5 && b_.kind(args[4]) != io::ValueKind::none) {
      b_.fail("_frombuffer has axes for order ", printable(order));
    } else if (order == "C" || order == "F") {
      record.strides = dense_strides(record.shape, order == "F");
    } else {
      b_.fail("_frombuffer has order '", printable(order), "', expected C, F or K");
    }
    set_bytes(record, args[0]);
    ValueNode fresh;
    fresh.kind = io::ValueKind::array;
    const Ref ref = b_.add(fresh);
    finish(ref, record);
    return ref;
  }

  /// scalar(dtype, bytes).
  Ref scalar(const Args& args) {
    if (args.size() != 2) b_.fail("a NumPy scalar has ", args.size(), " parts, expected dtype and bytes");
    const std::uint32_t type = type_of(args[0]);
    if (b_.tree.types[type].kind == io::NpyKind::object) b_.fail("a NumPy scalar of objects: it would be a pointer");
    if (b_.kind(args[1]) != io::ValueKind::bytes && b_.kind(args[1]) != io::ValueKind::text8)
      b_.fail("a NumPy scalar is made of ", b_.title(args[1]), ", expected bytes");
    const std::string_view bytes = b_.view(args[1]);
    if (bytes.size() != b_.tree.types[type].size)
      b_.fail("a NumPy scalar of ", b_.tree.types[type].size, " bytes has ", bytes.size());
    check_characters(type, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return b_.add_view(io::ValueKind::scalar, bytes, type);
  }

  /// Detail of an array whose state has not come.
  static constexpr std::uint32_t unfinished = 0xFFFFFFFFu;

 private:
  std::uint32_t type_of(Ref ref) const {
    if (b_.kind(ref) != io::ValueKind::type) b_.fail("an array has ", b_.title(ref), " for its dtype");
    if (!b_.tree.types[b_.node(ref).detail].finished) b_.fail("an array has a dtype without its state");
    return b_.node(ref).detail;
  }
  void set_bytes(ArrayRecord& record, Ref data) {
    if (b_.kind(data) != io::ValueKind::bytes && b_.kind(data) != io::ValueKind::text8 &&
        b_.kind(data) != io::ValueKind::byte_array)
      b_.fail("the elements of an array are ", b_.title(data), ", expected bytes");
    const std::string_view bytes = b_.view(data);
    b_.expect_bytes(record.shape, b_.tree.types[record.type].size, bytes.size());
    record.data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    check_characters(record.type, record.data, bytes.size());
  }
  /// A dtype U holds characters.
  void check_characters(std::uint32_t type, const std::uint8_t* data, std::size_t bytes) {
    if (b_.tree.types[type].kind != io::NpyKind::unicode) return;
    b_.charge(bytes);
    const bool big = b_.tree.types[type].swapped == (std::endian::native == std::endian::little);
    for (std::size_t i = 0; i + 4 <= bytes; i += 4) {
      std::uint32_t code = load_little<std::uint32_t>(data + i);
      if (big) code = (code >> 24) | ((code >> 8) & 0xFF00u) | ((code << 8) & 0xFF0000u) | (code << 24);
      if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        b_.fail("an array of strings holds ", code, ", which is no character");
    }
  }
  /// NumPy turns such arrays to this machine's byte order when it reads them: their dtype says so, here as there.
  void name_as_native(ArrayRecord& record) {
    ElementType type = b_.tree.types[record.type];
    if (!type.swapped) return;
    type.name[0] = std::endian::native == std::endian::little ? '<' : '>';
    record.type = b_.add_type(std::move(type));
  }
  void transpose(ArrayRecord& record, Ref axes) const {
    const Shape before = record.shape;
    if (b_.kind(axes) != io::ValueKind::tuple || b_.items(axes).size() != std::size_t(before.rank()))
      b_.fail("_frombuffer in order K has no axes, or another number of them than the shape");
    const auto strides = dense_strides(before);
    std::array<bool, Shape::max_rank> seen{};
    std::array<index_t, Shape::max_rank> lengths{};
    for (std::size_t i = 0; i < std::size_t(before.rank()); ++i) {
      const index_t axis = b_.natural(b_.items(axes)[i], "an axis");
      if (axis >= before.rank() || std::exchange(seen[std::size_t(axis)], true))
        b_.fail("_frombuffer has axis ", axis, " twice, or of ", before.rank());
      lengths[i] = before[int(axis)];
      record.strides[i] = strides[std::size_t(axis)];
    }
    record.shape = Shape(lengths.data(), before.rank());
  }
  void finish(Ref ref, const ArrayRecord& record) {
    b_.tree.arrays.push_back(record);
    b_.tree.nodes[ref].detail = std::uint32_t(b_.tree.arrays.size() - 1);
  }

  PickleBuilder& b_;
};

}  // namespace lacuna::detail
