/// Pieces of pickles, and bytes in memory as a file.
#pragma once

#include "lacuna/io/pickle.hpp"

namespace lacuna::test {

inline std::shared_ptr<const io::MappedFile> in_memory(const std::string& name, const std::string& text) {
  return std::make_shared<io::MappedFile>(name, std::vector<std::uint8_t>(text.begin(), text.end()));
}

inline std::string pickled_int(int value) { return "I" + std::to_string(value) + "\n"; }

/// numpy.dtype(name) with a byte order; `item`: the item size of S and U.
inline std::string pickled_dtype(const std::string& name, const std::string& order, int item = -1) {
  return "cnumpy\ndtype\n(V" + name + "\nI00\nI01\ntR(K\x03V" + order + "\nNNN" + pickled_int(item) +
         pickled_int(item < 0 ? -1 : 1) + "K" + std::string(1, '\0') + "tb";
}

/// An array of NumPy 1, protocol 3. `objects`: the list of a dtype O in place of the bytes.
inline std::string pickled_array(const std::string& name, const std::string& order, const std::vector<int>& shape,
                                 const std::string& bytes, bool fortran = false, int item = -1,
                                 const std::string& objects = "") {
  std::string text = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K";
  text += std::string(1, '\0') + "tC\x01" + "btR(K\x01(";
  for (const int length : shape) text += pickled_int(length);
  text += "t" + pickled_dtype(name, order, item) + (fortran ? "I01\n" : "I00\n");
  text += objects.empty() ? "C" + std::string(1, char(bytes.size())) + bytes : objects;
  return text + "tb";
}

/// The persistent id of a storage of PyTorch, of protocol 2.
inline std::string pickled_storage(const std::string& type, const std::string& key, int elements, bool legacy = false) {
  return "(X\x07" + std::string(3, '\0') + "storagectorch\n" + type + "\nV" + key + "\nVcpu\n" + pickled_int(elements) +
         (legacy ? "NtQ" : "tQ");
}

/// _rebuild_tensor_v2 over such a storage.
inline std::string pickled_tensor(const std::string& storage, int offset, const std::vector<int>& shape,
                                  const std::vector<int>& strides, const std::string& more = "") {
  std::string text = "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + pickled_int(offset) + "(";
  for (const int length : shape) text += pickled_int(length);
  text += "t(";
  for (const int stride : strides) text += pickled_int(stride);
  return text + "tI00\nccollections\nOrderedDict\n)R" + more + "tR";
}

/// _rebuild_tensor_v3 over the whole of a storage of `bytes` bytes: how uint16, uint32 and uint64 are saved.
inline std::string pickled_natural(const std::string& type, const std::string& key, int bytes, int elements,
                                   bool legacy = false) {
  return "ctorch._utils\n_rebuild_tensor_v3\n((X\x07" + std::string(3, '\0') +
         "storagectorch.storage\nUntypedStorage\nV" + key + "\nVcpu\n" + pickled_int(bytes) + (legacy ? "NtQ" : "tQ") +
         pickled_int(0) + "(" + pickled_int(elements) + "t(I1\ntI00\nccollections\nOrderedDict\n)Rctorch\n" + type +
         "\ntR";
}

/// A file of PyTorch before 1.6: an object over one storage of six floats, "0", and their bytes.
inline std::string legacy_pytorch(const std::string& object, const std::string& floats, bool little = true) {
  return std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.") + "\x80\x02M\xe9\x03." +
         "\x80\x02}Vlittle_endian\n" + (little ? "\x88" : "\x89") + "s." + "\x80\x02" + object + ".\x80\x02]V0\na." +
         "\x06" + std::string(7, '\0') + floats;
}

}  // namespace lacuna::test
