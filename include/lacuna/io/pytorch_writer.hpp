/// Writing a PyTorch state dict as torch.save does: a zip archive of a pickle, which names tensors, and their bytes.
///
///     io::PytorchWriter writer("model.pt");
///     writer.add("encoder.weight", weight);
///     writer.close();                        // then torch.load("model.pt", weights_only=True)
///
/// The root is an OrderedDict of dense tensors in C order, each with a storage of its own. The file appears whole when
/// `close` returns. Float and double. Throws IoError.
#pragma once

#include <concepts>
#include <set>

#include "lacuna/core/tensor.hpp"
#include "lacuna/io/zip_writer.hpp"

namespace lacuna::io {

class PytorchWriter {
 public:
  explicit PytorchWriter(std::string path) : zip_(std::move(path)) {
    pickle_ =
        "\x80\x02"
        "ccollections\nOrderedDict\n)R(";
  }

  template <std::floating_point T>
  void add(const std::string& name, const Array<T>& array) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(std::as_const(array).data());
    const ZipWriter::Bytes part(bytes, std::size_t(array.size()) * sizeof(T));
    const std::string key = std::to_string(count_++);
    if (names_.contains(name)) throw IoError(zip_.path() + ": tensor '" + detail::printable(name) + "' is added twice");
    names_.insert(name);
    zip_.add("archive/data/" + key, {&part, 1});
    text(name);
    pickle_ += "ctorch._utils\n_rebuild_tensor_v2\n((";
    text("storage");
    pickle_ += sizeof(T) == 8 ? "ctorch\nDoubleStorage\n" : "ctorch\nFloatStorage\n";
    text(key), text("cpu"), integer(array.size());
    pickle_ += "tQ";
    integer(0);
    pickle_ += "(";
    for (int axis = 0; axis < array.shape().rank(); ++axis) integer(array.shape()[axis]);
    pickle_ += "t(";
    for (int axis = 0; axis < array.shape().rank(); ++axis) {
      index_t stride = 1;
      for (int later = axis + 1; later < array.shape().rank(); ++later) stride *= array.shape()[later];
      integer(stride);
    }
    pickle_ +=
        "t\x89"
        "ccollections\nOrderedDict\n)RtR";
  }
  template <class T, int R>
  void add(const std::string& name, const Tensor<T, R>& tensor) {
    add(name, static_cast<const Array<T>&>(tensor));
  }
  /// Nothing can be added after it.
  void close() {
    static_assert(std::endian::native == std::endian::little, "the format is little endian");
    pickle_ += "u.";
    const std::string version = "3\n";
    const auto bytes = [](const std::string& of) {
      return ZipWriter::Bytes(reinterpret_cast<const std::uint8_t*>(of.data()), of.size());
    };
    const ZipWriter::Bytes pickle = bytes(pickle_), three = bytes(version);
    zip_.add("archive/data.pkl", {&pickle, 1});
    zip_.add("archive/version", {&three, 1});
    zip_.close();
  }

 private:
  void little(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) pickle_ += char(value >> (8 * i));
  }
  void text(const std::string& value) {
    pickle_ += 'X';
    little(value.size(), 4);
    pickle_ += value;
  }
  void integer(index_t value) {
    if (value < 0x7fffffff) {
      pickle_ += 'J';
      little(std::uint64_t(value), 4);
    } else {
      pickle_ += "\x8a\x08";
      little(std::uint64_t(value), 8);
    }
  }

  ZipWriter zip_;
  std::string pickle_;
  std::set<std::string> names_;
  std::size_t count_ = 0;
};

}  // namespace lacuna::io
