/// Reading PyTorch's files (.pt, .pth, .bin of torch.save) without PyTorch and without running them.
///
///     const io::PytorchFile file("model.pth");
///     for (const std::string& name : file.names()) std::cout << name << ' ' << file.tensor(name).shape() << '\n';
///     const Tensor<float, 2> weight = file.tensor("encoder.weight").array().tensor<float, 2>();
///
/// Since PyTorch 1.6 the file is a zip archive: `data.pkl`, a pickle read with the rules of pickle.hpp, and one member
/// for every storage, whose bytes are read when a tensor of it is asked for. All tensors of one storage share it;
/// strides and offsets are honoured. The stream of older versions is read too (pytorch_legacy.hpp). A whole model,
/// TorchScript, sparse and quantised tensors are refused with advice. Many threads may read at once. Errors are
/// IoError: file, place, found, expected, what to do.
#pragma once

#include "lacuna/core/words_aside.hpp"
// macros of others stand aside from here on

#include <mutex>

#include "lacuna/io/pytorch_legacy.hpp"
#include "lacuna/io/zip.hpp"

namespace lacuna::detail {

/// The storages of a file: zip members, checked by their CRC-32. What several tensors use is kept.
class ZipStorages : public StorageReader {
 public:
  ZipStorages(std::shared_ptr<const io::ZipReader> zip, std::string folder, bool swapped)
      : zip_(std::move(zip)), folder_(std::move(folder)), swapped_(swapped) {}

  /// Compares every storage with its member, reading neither.
  void bind(ValueTree& tree) {
    members_.clear();
    kept_.resize(tree.storages.size());
    for (const StorageRecord& storage : tree.storages) {
      const std::string name = cat(folder_, "data/", storage.key);
      const io::ZipMember* member = zip_->find(name);
      if (member == nullptr)
        throw IoError(cat(tree.name, ": has no member '", printable(name), "', which its tensors need; it is damaged"));
      const ElementType& type = tree.types[storage.type];
      if (member->size % type.size != 0 || std::uint64_t(storage.elements) != member->size / type.size)
        throw IoError(cat(zip_->place(*member), ": has ", member->size, " bytes, expected ", storage.elements,
                          " elements of ", type.size, " bytes (", type.name, ")"));
      if (swapped_) tree.types[storage.type].swapped = type.size > 1;
      members_.emplace_back(member, storage.users > 1);
    }
  }
  std::shared_ptr<const std::vector<std::uint8_t>> read(std::size_t storage) const override {
    const auto [member, shared] = members_[storage];
    if (!shared) return std::make_shared<const std::vector<std::uint8_t>>(zip_->read(*member));
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[storage];
    if (!kept) kept = std::make_shared<const std::vector<std::uint8_t>>(zip_->read(*member));
    return kept;
  }

 private:
  std::shared_ptr<const io::ZipReader> zip_;
  std::string folder_;
  bool swapped_;
  std::vector<std::pair<const io::ZipMember*, bool>> members_;
  mutable std::mutex mutex_;
  mutable std::vector<std::shared_ptr<const std::vector<std::uint8_t>>> kept_;
};

/// Where `data.pkl` lies: "archive/" or whatever the one folder of the file is called.
inline std::string pytorch_folder(const io::ZipReader& zip) {
  const std::string& file = zip.source().name();
  std::vector<std::string> folders;
  bool script = false;
  for (const io::ZipMember& member : zip.members()) {
    const std::string_view name = member.name;
    script = script || name.ends_with("/constants.pkl") || name.find("/code/") != std::string_view::npos;
    if (name == "data.pkl" || name.ends_with("/data.pkl"))
      folders.emplace_back(name.substr(0, name.size() - std::string_view("data.pkl").size()));
  }
  if (script)
    throw IoError(file + ": is TorchScript, a program; save the weights with torch.save(model.state_dict(), file)");
  if (folders.empty())
    throw IoError(file + ": is a zip archive without data.pkl, so no file of torch.save; read arrays with Npz");
  if (folders.size() > 1)
    throw IoError(cat(file, ": has ", folders.size(), " members called data.pkl, expected one; the file is damaged"));
  return folders[0];
}

}  // namespace lacuna::detail

namespace lacuna::io {

class PytorchFile {
 public:
  explicit PytorchFile(const std::string& path) : PytorchFile(std::make_shared<const MappedFile>(path)) {}
  /// A file that is mapped, or bytes in memory.
  explicit PytorchFile(std::shared_ptr<const MappedFile> file) : root_(open(std::move(file))) { collect(); }

  /// All the file holds: a dict of tensors, mostly, or a dict with one inside it.
  const Value& root() const { return root_; }
  /// Where the weights are: "" for the whole file, or the key that was looked through: "state_dict", "model".
  const std::string& weights_at() const { return weights_at_; }
  /// Names of the tensors among the weights, in the order of the file. A prefix that all of them have because the model
  /// was wrapped ("module." of DataParallel, "_orig_mod." of compile) is not part of them; `prefix` says it.
  const std::vector<std::string>& names() const { return names_; }
  const std::string& prefix() const { return prefix_; }
  /// A tensor among the weights, by its name. Throws IoError when there is none.
  Value tensor(std::string_view name) const { return weights_->at(prefix_ + std::string(name)); }

 private:
  static Value open(std::shared_ptr<const MappedFile> file) {
    const auto bytes = file->bytes();
    if (detail::is_legacy_pytorch(bytes)) return detail::read_legacy_pytorch(std::move(file));
    detail::refuse_strangers(*file, "a file of torch.save");
    if (!detail::starts_with(bytes, "PK\x03\x04") && !detail::starts_with(bytes, "PK\x05\x06"))
      throw IoError(file->name() +
                    ": is no zip archive, as torch.save writes since PyTorch 1.6; a pickle is read with "
                    "load_pickle");
    if (file->in_memory()) return read(ByteSource(file->name(), {bytes.begin(), bytes.end()}));
    return read(ByteSource(file->name()));
  }

  static Value read(ByteSource source) {
    auto zip = std::make_shared<const ZipReader>(std::move(source));
    const std::string& name = zip->source().name();
    const std::string folder = detail::pytorch_folder(*zip);
    bool swapped = false;
    if (const ZipMember* order = zip->find(folder + "byteorder")) {
      const std::string text = small_text(*zip, *order);
      if (text != "little" && text != "big")
        throw IoError(detail::cat(zip->place(*order), ": is '", detail::printable(text), "', expected little or big"));
      swapped = (text == "big") == (std::endian::native == std::endian::little);
    }
    if (const ZipMember* version = zip->find(folder + "version")) {
      const std::string text = small_text(*zip, *version);
      int number = 0;
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
      if (parsed.ec != std::errc() || number < 1 || number > 100)
        throw IoError(
            detail::cat(zip->place(*version), ": is '", detail::printable(text), "', expected a small number"));
    }
    auto tree = std::make_shared<detail::ValueTree>();
    tree->name = name;
    const auto pickle = std::make_shared<MappedFile>(name, zip->read(*zip->find(folder + "data.pkl")));
    tree->files.push_back(pickle);
    detail::PickleMachine machine(*tree, pickle->bytes(), true);
    tree->root = machine.run();
    if (machine.position() != pickle->bytes().size())
      throw IoError(detail::cat(name, ": ", pickle->bytes().size() - machine.position(),
                                " bytes follow the pickle in data.pkl; the file is damaged"));
    auto storages = std::make_shared<detail::ZipStorages>(std::move(zip), folder, swapped);
    storages->bind(*tree);
    tree->reader = std::move(storages);
    return detail::finish_tree(std::move(tree));
  }
  static std::string small_text(const ZipReader& zip, const ZipMember& member) {
    if (member.size > 64)
      throw IoError(detail::cat(zip.place(member), ": has ", member.size, " bytes, expected a word"));
    const std::vector<std::uint8_t> bytes = zip.read(member);
    std::string text(bytes.begin(), bytes.end());
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
  }

  static bool has_tensors(const Value& value) {
    if (!value.is_dict()) return false;
    for (std::size_t i = 0; i < value.size(); ++i)
      if (value.value(i).kind() == ValueKind::tensor) return true;
    return false;
  }
  void collect() {
    weights_ = root_;
    if (!has_tensors(root_))
      for (const char* key : {"state_dict", "model_state_dict", "model", "net", "weights", "params", "ema"}) {
        const std::optional<Value> inner = root_.get(key);
        if (!inner || !has_tensors(*inner)) continue;
        weights_ = inner;
        weights_at_ = key;
        break;
      }
    if (!weights_->is_dict()) return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < weights_->size(); ++i)
      if (weights_->key(i).is_string() && weights_->value(i).kind() == ValueKind::tensor)
        names.emplace_back(weights_->key(i).bytes());
    for (const char* wrapper : {"module.", "_orig_mod."})
      if (!names.empty() &&
          std::all_of(names.begin(), names.end(), [&](const auto& name) { return name.starts_with(wrapper); }))
        prefix_ = wrapper;
    for (const std::string& name : names) names_.push_back(name.substr(prefix_.size()));
  }

  Value root_;
  std::optional<Value> weights_;
  std::string weights_at_, prefix_;
  std::vector<std::string> names_;
};

/// Short for PytorchFile(path).root().
inline Value load_pytorch(const std::string& path) { return PytorchFile(path).root(); }

}  // namespace lacuna::io

#include "lacuna/core/words_back.hpp"
