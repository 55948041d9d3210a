/// The names that a pickle may use, all of them, and advice for those that it may not.
///
/// A name is compared as a whole, module and name; there is no rule by prefix. Names stand for a fixed piece of our own
/// code: nothing is looked up, imported or called.
#pragma once

#include "lacuna/io/value_tree.hpp"

namespace lacuna::detail {

enum class PickleName : std::uint8_t {
  reconstruct,
  scalar,
  from_buffer,
  ndarray,
  dtype,
  encode,
  bytes,
  byte_array,
  set,
  frozen_set,
  ordered_dict,
  default_dict,
  factory,  ///< what a defaultdict makes of a missing key
  tensor,
  tensor_of_bytes,
  parameter,
  size,
  storage,
  torch_type,
  load_from_bytes,
};

struct KnownName {
  std::string_view module, name;
  PickleName what;
  io::NpyKind kind = io::NpyKind::real;  ///< storages and torch's dtypes
  std::size_t item = 0;
  std::string_view element = {};
};

inline constexpr KnownName known_names[] = {
    {"numpy.core.multiarray", "_reconstruct", PickleName::reconstruct},
    {"numpy._core.multiarray", "_reconstruct", PickleName::reconstruct},
    {"numpy.core.multiarray", "scalar", PickleName::scalar},
    {"numpy._core.multiarray", "scalar", PickleName::scalar},
    {"numpy.core.numeric", "_frombuffer", PickleName::from_buffer},
    {"numpy._core.numeric", "_frombuffer", PickleName::from_buffer},
    {"numpy", "ndarray", PickleName::ndarray},
    {"numpy", "dtype", PickleName::dtype},
    {"_codecs", "encode", PickleName::encode},
    {"__builtin__", "bytes", PickleName::bytes},
    {"builtins", "bytes", PickleName::bytes},
    {"__builtin__", "bytearray", PickleName::byte_array},
    {"builtins", "bytearray", PickleName::byte_array},
    {"__builtin__", "set", PickleName::set},
    {"builtins", "set", PickleName::set},
    {"__builtin__", "frozenset", PickleName::frozen_set},
    {"builtins", "frozenset", PickleName::frozen_set},
    {"collections", "OrderedDict", PickleName::ordered_dict},
    {"collections", "defaultdict", PickleName::default_dict},
    {"__builtin__", "int", PickleName::factory},
    {"builtins", "int", PickleName::factory},
    {"__builtin__", "float", PickleName::factory},
    {"builtins", "float", PickleName::factory},
    {"__builtin__", "list", PickleName::factory},
    {"builtins", "list", PickleName::factory},
    {"__builtin__", "dict", PickleName::factory},
    {"builtins", "dict", PickleName::factory},
    {"__builtin__", "str", PickleName::factory},
    {"builtins", "str", PickleName::factory},
    {"__builtin__", "long", PickleName::factory},  // int and str, as Python 3 spells them in protocols 0 to 2
    {"__builtin__", "unicode", PickleName::factory},
    {"torch._utils", "_rebuild_tensor", PickleName::tensor},
    {"torch._utils", "_rebuild_tensor_v2", PickleName::tensor},
    {"torch._utils", "_rebuild_tensor_v3", PickleName::tensor_of_bytes},
    {"torch._utils", "_rebuild_parameter", PickleName::parameter},
    {"torch", "Size", PickleName::size},
    {"torch.storage", "_load_from_bytes", PickleName::load_from_bytes},
    {"torch", "FloatStorage", PickleName::storage, io::NpyKind::real, 4, "float32"},
    {"torch", "DoubleStorage", PickleName::storage, io::NpyKind::real, 8, "float64"},
    {"torch", "HalfStorage", PickleName::storage, io::NpyKind::real, 2, "float16"},
    {"torch", "BFloat16Storage", PickleName::storage, io::NpyKind::brain, 2, "bfloat16"},
    {"torch", "CharStorage", PickleName::storage, io::NpyKind::integer, 1, "int8"},
    {"torch", "ByteStorage", PickleName::storage, io::NpyKind::natural, 1, "uint8"},
    {"torch", "ShortStorage", PickleName::storage, io::NpyKind::integer, 2, "int16"},
    {"torch", "IntStorage", PickleName::storage, io::NpyKind::integer, 4, "int32"},
    {"torch", "LongStorage", PickleName::storage, io::NpyKind::integer, 8, "int64"},
    {"torch", "BoolStorage", PickleName::storage, io::NpyKind::boolean, 1, "bool"},
    {"torch", "ComplexFloatStorage", PickleName::storage, io::NpyKind::complex, 8, "complex64"},
    {"torch", "ComplexDoubleStorage", PickleName::storage, io::NpyKind::complex, 16, "complex128"},
    {"torch.storage", "UntypedStorage", PickleName::storage, io::NpyKind::natural, 1, "untyped"},  // uint16 and wider
    {"torch", "float32", PickleName::torch_type, io::NpyKind::real, 4, "torch.float32"},
    {"torch", "float64", PickleName::torch_type, io::NpyKind::real, 8, "torch.float64"},
    {"torch", "float16", PickleName::torch_type, io::NpyKind::real, 2, "torch.float16"},
    {"torch", "bfloat16", PickleName::torch_type, io::NpyKind::brain, 2, "torch.bfloat16"},
    {"torch", "int8", PickleName::torch_type, io::NpyKind::integer, 1, "torch.int8"},
    {"torch", "uint8", PickleName::torch_type, io::NpyKind::natural, 1, "torch.uint8"},
    {"torch", "int16", PickleName::torch_type, io::NpyKind::integer, 2, "torch.int16"},
    {"torch", "int32", PickleName::torch_type, io::NpyKind::integer, 4, "torch.int32"},
    {"torch", "int64", PickleName::torch_type, io::NpyKind::integer, 8, "torch.int64"},
    {"torch", "uint16", PickleName::torch_type, io::NpyKind::natural, 2, "torch.uint16"},
    {"torch", "uint32", PickleName::torch_type, io::NpyKind::natural, 4, "torch.uint32"},
    {"torch", "uint64", PickleName::torch_type, io::NpyKind::natural, 8, "torch.uint64"},
    {"torch", "bool", PickleName::torch_type, io::NpyKind::boolean, 1, "torch.bool"},
    {"torch", "complex64", PickleName::torch_type, io::NpyKind::complex, 8, "torch.complex64"},
    {"torch", "complex128", PickleName::torch_type, io::NpyKind::complex, 16, "torch.complex128"},
};

/// Number of a name in the table; the size of the table when it is not there.
inline std::size_t find_name(std::string_view module, std::string_view name) {
  std::size_t i = 0;
  while (i < std::size(known_names) && !(known_names[i].module == module && known_names[i].name == name)) ++i;
  return i;
}

/// What to do about a name that is refused; `torch`: in a file of torch.save.
inline std::string_view advice_for(std::string_view module, bool torch) {
  const auto in = [&](std::string_view package) {
    return module.starts_with(package) && (module.size() == package.size() || module[package.size()] == '.');
  };
  if (in("pandas")) return "save a table with df.to_csv or its numbers with numpy.savez(x=df.to_numpy())";
  if (in("joblib")) return "load it with joblib.load, then save the arrays with numpy.savez";
  if (module == "torch._utils" || module == "torch.storage")
    return "save plain dense tensors (t.detach().clone().float()) with torch.save";
  if (in("numpy.ma")) return "save array.filled() and the mask as two arrays";
  if (torch || in("torch"))
    return "this may be a whole model: save its weights with torch.save(model.state_dict(), file), or safetensors";
  return "load it where it was made, and save plain arrays, numbers, strings, lists and dicts with pickle or "
         "numpy.savez";
}

}  // namespace lacuna::detail
