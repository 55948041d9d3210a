/// The payload of a checkpoint: a `State` as a cereal portable binary archive, written to any sink and read back with
/// every count checked against the bytes that are left before memory is asked for. See checkpoint.hpp.
#pragma once

#include <algorithm>
#if defined(__GNUC__) && !defined(__GXX_RTTI)
#error \
    "lacuna: checkpoints are written by cereal, which asks for types: build the files that include it without -fno-rtti"
#endif

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <istream>
#include <ostream>
#include <streambuf>

#include "lacuna/core/state.hpp"
#include "lacuna/io/source.hpp"

namespace lacuna::detail {

enum class CheckpointKind : std::uint8_t { text = 1, texts = 2, integers = 3, float32 = 4, float64 = 5 };

/// Sends what is written to one function.
template <class Sink>
class CheckpointSink : public std::streambuf {
 public:
  explicit CheckpointSink(Sink sink) : sink_(std::move(sink)) {}

 private:
  std::streamsize xsputn(const char* from, std::streamsize count) override {
    sink_(from, std::size_t(count));
    return count;
  }
  int overflow(int c) override {
    const char byte = char(c);
    sink_(&byte, std::size_t(1));
    return c;
  }
  Sink sink_;
};

/// Reads a part of a file and knows how many bytes are left of it.
class CheckpointSource : public std::streambuf {
 public:
  CheckpointSource(const io::ByteSource& source, std::uint64_t begin, std::uint64_t end)
      : source_(source), next_(begin), end_(end), window_(1 << 16) {}

  std::uint64_t left() const { return end_ - next_ + held_ - used_; }

 private:
  std::streamsize xsgetn(char* to, std::streamsize wanted) override {
    if (std::uint64_t(wanted) > left()) return 0;  // cereal reports a short read as an exception
    std::streamsize done = 0;
    while (done < wanted) {
      if (used_ == held_) {
        if (std::uint64_t(wanted - done) >= window_.size()) {  // straight to where it belongs
          source_.read(next_, to + done, std::size_t(wanted - done));
          next_ += std::uint64_t(wanted - done);
          return wanted;
        }
        held_ = std::size_t(std::min<std::uint64_t>(window_.size(), end_ - next_));
        used_ = 0;
        source_.read(next_, window_.data(), held_);
        next_ += held_;
      }
      const std::size_t piece = std::min(held_ - used_, std::size_t(wanted - done));
      std::memcpy(to + done, window_.data() + used_, piece);
      used_ += piece;
      done += std::streamsize(piece);
    }
    return done;
  }

  const io::ByteSource& source_;
  std::uint64_t next_, end_;
  std::vector<char> window_;
  std::size_t held_ = 0, used_ = 0;
};

template <class Sink>
void write_checkpoint_payload(const State& state, Sink sink) {
  CheckpointSink buffer(std::move(sink));
  std::ostream stream(&buffer);
  cereal::PortableBinaryOutputArchive archive(stream, cereal::PortableBinaryOutputArchive::Options::LittleEndian());
  archive(std::uint64_t(state.values().size()));
  for (const auto& [name, value] : state.values()) {
    archive(name);
    std::visit(
        [&](const auto& held) {
          using V = std::decay_t<decltype(held)>;
          if constexpr (std::is_same_v<V, std::string>) {
            archive(std::uint8_t(CheckpointKind::text), held);
          } else if constexpr (std::is_same_v<V, State::Texts>) {
            archive(std::uint8_t(CheckpointKind::texts), std::uint64_t(held.size()));
            for (const std::string& text : held) archive(text);
          } else if constexpr (std::is_same_v<V, State::Integers>) {
            archive(std::uint8_t(CheckpointKind::integers), std::uint64_t(held.size()));
            for (const std::int64_t integer : held) archive(integer);
          } else {
            using T = typename V::scalar;
            archive(std::uint8_t(sizeof(T) == 4 ? CheckpointKind::float32 : CheckpointKind::float64),
                    std::uint8_t(held.shape().rank()));
            for (const index_t extent : held.shape()) archive(std::uint64_t(extent));
            if (held.size() > 0) archive(cereal::binary_data(held.data(), std::size_t(held.size()) * sizeof(T)));
          }
        },
        value);
  }
}

/// Parses a payload whose checksum is right, still checking every count before it is believed.
class CheckpointPayload {
 public:
  CheckpointPayload(const io::ByteSource& source, std::uint64_t begin, std::uint64_t end)
      : name_(source.name()), buffer_(source, begin, end), stream_(&buffer_) {}

  State read() {
    try {
      cereal::PortableBinaryInputArchive archive(stream_);
      State state(name_);
      const std::uint64_t entries = count(archive, 10, "entries");  // no entry takes less than 10 bytes
      for (std::uint64_t i = 0; i < entries; ++i) {
        const std::string name = text(archive);
        if (state.contains(name)) fail(cat("'", printable(name), "' is stored twice"));
        state.put_value(name, value(archive, name));
      }
      if (buffer_.left() != 0) fail(cat(buffer_.left(), " bytes follow the last value"));
      return state;
    } catch (const cereal::Exception&) {
      fail("the payload ends inside a value");
    }
  }

 private:
  using Archive = cereal::PortableBinaryInputArchive;

  [[noreturn]] void fail(const std::string& what) const { throw IoError(cat(name_, ": damaged checkpoint: ", what)); }

  /// A count whose elements, each of at least `width` bytes, fit in what is left.
  std::uint64_t count(Archive& archive, std::uint64_t width, const char* what) {
    std::uint64_t number = 0;
    archive(number);
    if (number > buffer_.left() / width)
      fail(cat(number, " ", what, " are announced, ", buffer_.left(), " bytes are left"));
    return number;
  }
  std::string text(Archive& archive) {
    std::string bytes(count(archive, 1, "characters"), '\0');
    archive(cereal::binary_data(bytes.data(), bytes.size()));
    return bytes;
  }
  template <class T>
  Array<T> array(Archive& archive, const std::string& name) {
    std::uint8_t rank = 0;
    archive(rank);
    if (rank > Shape::max_rank)
      fail(cat("'", printable(name), "' has ", int(rank), " axes, at most ", Shape::max_rank));
    index_t extents[Shape::max_rank] = {};
    for (int axis = 0; axis < rank; ++axis) {
      std::uint64_t extent = 0;
      archive(extent);
      extents[axis] = index_t(extent);
    }
    Shape shape;
    try {
      shape = Shape(extents, rank);
    } catch (const ShapeError& error) {
      fail(cat("'", printable(name), "': ", error.what()));
    }
    if (std::uint64_t(shape.size()) > buffer_.left() / sizeof(T))
      fail(cat("'", printable(name), "' has shape ", shape, ", ", buffer_.left(), " bytes are left"));
    Array<T> result(shape);
    if (result.size() > 0) archive(cereal::binary_data(result.data(), std::size_t(result.size()) * sizeof(T)));
    return result;
  }
  State::Value value(Archive& archive, const std::string& name) {
    std::uint8_t kind = 0;
    archive(kind);
    switch (CheckpointKind(kind)) {
      case CheckpointKind::text:
        return text(archive);
      case CheckpointKind::texts: {
        State::Texts texts;
        for (std::uint64_t left = count(archive, 8, "texts"); left > 0; --left) texts.push_back(text(archive));
        return texts;
      }
      case CheckpointKind::integers: {
        State::Integers integers(count(archive, 8, "integers"));
        for (std::int64_t& integer : integers) archive(integer);
        return integers;
      }
      case CheckpointKind::float32:
        return array<float>(archive, name);
      case CheckpointKind::float64:
        return array<double>(archive, name);
    }
    fail(cat("'", printable(name), "' is of unknown kind ", int(kind)));
  }

  std::string name_;
  CheckpointSource buffer_;
  std::istream stream_;
};

}  // namespace lacuna::detail
