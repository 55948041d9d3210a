// What an array is: decided by the schema, and said. Nothing that holds labels becomes a modality unnoticed.
#include <doctest/doctest.h>

#include "io/temporary.hpp"
#include "lacuna/data/load.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "lacuna/io/zip_writer.hpp"

using namespace lacuna;
using test::contains;

namespace {

using Names = std::vector<std::string>;

/// audio (3, 2, 3), text (3, 2, 2), label in all splits, called `valid` + "_" in the second; and what `more` adds to
/// each.
struct SchemaFile {
  test::TemporaryFolder folder;
  std::string path = folder / "set.npz";

  template <class More>
  explicit SchemaFile(More&& more, const std::string& valid = "valid") {
    io::NpzWriter writer(path);
    for (const std::string& split : {std::string("train_"), valid + "_", std::string("test_")}) {
      writer.add(split + "audio", Tensor<float, 3>::full({3, 2, 3}, 0.5f));
      writer.add(split + "text", Tensor<float, 3>::full({3, 2, 2}, 0.25f));
      writer.add(split + "label", std::vector<float>{-1, 0, 1});
      more(writer, split);
    }
    writer.close();
  }
  data::Dataset load(const data::LoadOptions& options = {}) const { return data::load_npz(path, options); }
};

std::string note_with(const data::Dataset& set, const std::string& piece) {
  for (const data::Note& note : set.notes)
    if (contains(note.text, piece)) return (note.always ? "! " : "") + note.text;
  return "none";
}

}  // namespace

TEST_CASE("schema: what is named or shaped like a label is no modality, and a line says so") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "label2", Tensor<float, 2>::full({3, 1}, 1));
    w.add(split + "emotion", Tensor<float, 2>::full({3, 6}, 1));
    w.add(split + "regression_labels", Tensor<float, 2>::full({3, 2}, 1));
    w.add(split + "Valence", Tensor<float, 3>::full({3, 2, 1}, 1));
    w.add(split + "mood", Tensor<float, 2>::full({3, 1}, 1));
    w.add(split + "kind", Tensor<float, 2>::from({3, 2}, {0, 1, 1, 0, 1, 0}));
    w.add(split + "pose", Tensor<float, 2>::from({3, 2}, {0, 1, 1, 0, 1, 1}));
  });
  const auto set = file.load();
  CHECK(set.modality_names() == Names{"audio", "text", "pose"});
  CHECK(note_with(set, "modalities:") ==
        "! modalities: audio (2 frames, 3 features), text (2 frames, 2 features), pose (2 features); label: label");
  CHECK(
      note_with(set, "left out:") ==
      "! left out: label2 (named like a label), emotion (named like a label), regression_labels (named like a label), "
      "Valence (named like a label), mood (shaped like a label: one number per sample), "
      "kind (shaped like a label: one-hot rows)");
  CHECK(file.load({.modalities = {"audio", "emotion"}}).modality_names() == Names{"audio", "emotion"});
  CHECK(file.load({.include = {"mood", "nothing"}}).modality_names() == Names{"audio", "text", "mood", "pose"});
}

TEST_CASE("schema: what comes from a modality is none of its own, and streams of one source are a group") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "text_bert", Tensor<float, 3>::full({3, 3, 2}, 1));
    w.add(split + "glove_text", Tensor<float, 3>::full({3, 2, 4}, 1));
    w.add(split + "acoustic_mfcc", Tensor<float, 3>::full({3, 2, 4}, 1));
    w.add(split + "context", Tensor<float, 3>::full({3, 2, 4}, 1));
  });
  const auto set = file.load();
  CHECK(set.modality_names() == Names{"audio", "text", "context"});
  CHECK(note_with(set, "left out:") ==
        "! left out: text_bert (comes from text), glove_text (comes from text), "
        "acoustic_mfcc (comes from audio)");
  const auto both = file.load({.modalities = {"text", "audio", "text_bert"}});
  CHECK(both.modality_names() == Names{"text", "audio", "text_bert"});
  CHECK(both.groups() == std::vector<std::size_t>{0, 1, 0});
  CHECK(contains(note_with(both, "text_bert comes from text"), "! text_bert comes from text"));
  using detail::groups_of;
  CHECK(groups_of({"audio_mfcc", "video", "audio_wav2vec", "view_1", "view_2", "vision_clip"}) ==
        std::vector<std::size_t>{0, 1, 0, 3, 4, 1});
}

TEST_CASE("schema: lengths and masks in the plural, and under the other name of a modality") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "audio_lengths", std::vector<std::int64_t>{1, 2, 0});
    w.add(split + "video", Tensor<float, 3>::full({3, 2, 4}, 1));
    w.add(split + "vision_lengths", std::vector<std::int64_t>{2, 2, 1});
    w.add(split + "text_mask", Tensor<float, 2>::full({3, 2}, 1));
    w.add(split + "smell_lengths", std::vector<std::int64_t>{2, 2, 1});
  });
  const auto set = file.load();
  CHECK(set.train.modalities[0].present.to_vector() == std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0});
  CHECK(set.train.modalities[2].present.to_vector() == std::vector<std::uint8_t>{1, 1, 1, 1, 1, 0});
  CHECK(note_with(set, "audio_lengths is taken") == "! audio_lengths is taken for the lengths of audio");
  CHECK(note_with(set, "vision_lengths is taken") == "! vision_lengths is taken for the lengths of video");
  CHECK(note_with(set, "left out:") == "! left out: smell_lengths (lengths or masks of nothing that is taken)");
}

TEST_CASE("schema: other names of splits are read, with a line; two of them are refused") {
  for (const std::string name : {"val", "validation", "dev"}) {
    const SchemaFile file([](io::NpzWriter&, const std::string&) {}, name);
    const auto set = file.load();
    CHECK(set.validation.size() == 3);
    CHECK(set.validation.modalities[0].frames(0, 0, 0) == 0.5f);
    CHECK(note_with(set, "no valid_ split") == "! no valid_ split; " + name + "_ is taken for it");
  }
  const SchemaFile file(
      [](io::NpzWriter& w, const std::string& split) {
        if (split == "val_") w.add("dev_audio", Tensor<float, 3>::full({3, 2, 3}, 1));
      },
      "val");
  CHECK(contains(test::message_of<IoError>([&] { file.load(); }), "has no valid_ split, but val_, dev_"));
}

TEST_CASE("schema: integers are read as numbers, with a line; other types are errors unless excluded") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "video", Tensor<std::int16_t, 3>::full({3, 2, 4}, std::int16_t(-7)));
    w.add(split + "words", Tensor<std::int64_t, 2>::full({3, 2}, 9));
  });
  const auto set = file.load();
  CHECK(set.modality_names() == Names{"audio", "text", "video"});
  CHECK(set.test.modalities[2].frames(2, 1, 3) == -7);
  CHECK(note_with(set, "train_video holds") == "! train_video holds <i2: its integers are read as numbers");
  CHECK(note_with(set, "left out:") == "! left out: words (integers with two axes)");

  const SchemaFile image([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "video", Tensor<float, 4>::full({3, 2, 4, 4}, 1));
  });
  CHECK(contains(test::message_of<IoError>([&] { image.load(); }),
                 "'train_video' is <f4 (3, 2, 4, 4), expected numbers (N, D) or (N, T, D); reshape it, or exclude"));
  CHECK(image.load({.exclude = {"video"}}).modality_names() == Names{"audio", "text"});

  // objects, complex numbers, bfloat16 as NumPy stores it
  for (const std::string dtype : {"|O", "<c8", "|V2"})
    for (const std::string name : {"video", "smell"}) {
      const test::TemporaryFolder folder;
      io::ZipWriter writer(folder / "x.npz");
      const std::string header = "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (1, 1), }\n";
      const std::string odd = std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header +
                              std::string(dtype == "<c8" ? 8 : 2, '\0');
      const std::string text = io::npy_header("<f4", {1, 2}) + std::string(8, '\0');
      for (const auto& [member, content] :
           {std::pair{"train_" + name + ".npy", odd}, std::pair{std::string("train_text.npy"), text}}) {
        const io::ZipWriter::Bytes parts[] = {{reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}};
        writer.add(member, parts);
      }
      writer.close();
      const std::string path = folder / "x.npz";
      const std::string wrong = test::message_of<IoError>([&] { data::load_npz(path); });
      if (dtype == "|O" && name == "smell")  // Python objects may be anything: words, for one
        CHECK(wrong == "no error");
      else
        CHECK(contains(wrong, "exclude '" + name + "' to load the file without it"));
      CHECK(data::load_npz(path, {.exclude = {name}}).modality_names() == Names{"text"});
    }
}

TEST_CASE("schema: labels that are not known, where they are not needed, and splits that are not") {
  const float hole = std::numeric_limits<float>::quiet_NaN();
  const test::TemporaryFolder folder;
  io::NpzWriter writer(folder / "x.npz");
  for (const std::string split : {"train_", "valid_", "test_"}) {
    writer.add(split + "text", Tensor<float, 2>::full({2, 2}, 1));
    writer.add(split + "label", std::vector<float>{1, split == "test_" ? hole : 0});
    writer.add(split + "class", std::vector<std::int64_t>{1, split == "test_" ? -1 : 0});
  }
  writer.close();
  const std::string path = folder / "x.npz";
  CHECK(contains(test::message_of<IoError>([&] { data::load_npz(path); }), "a label that is NaN or infinite"));
  auto set = data::load_npz(path, {.splits = {data::Role::train}});
  CHECK(set.train.labels == std::vector<float>{1, 0});
  CHECK(set.test.size() == 0);
  CHECK(set.class_count == 2);
  set = data::load_npz(path, {.labels = data::LabelUse::optional});
  CHECK(set.test.size() == 2);
  CHECK(set.test.labels.empty());
  CHECK(set.test.classes.empty());
  CHECK(set.train.classes == std::vector<index_t>{1, 0});
  CHECK(note_with(set, "test_label gives") ==
        "! test_label gives sample 1 a label that is NaN or infinite: the split counts as one without labels");
  set = data::load_npz(path, {.splits = {data::Role::test}, .labels = data::LabelUse::ignored});
  CHECK(set.test.size() == 2);
  CHECK(set.train.size() == 0);
  CHECK(set.test.labels.empty());
}

TEST_CASE("schema: without a label, what looks like one is proposed") {
  const test::TemporaryFolder folder;
  io::NpzWriter writer(folder / "x.npz");
  writer.add("train_text", Tensor<float, 2>::full({2, 2}, 1));
  writer.add("train_regression_labels", std::vector<float>{1, 0});
  writer.close();
  const auto set = data::load_npz(folder / "x.npz");
  CHECK(note_with(set, "no label or class") ==
        "! no label or class array; as a label could be taken (option label): regression_labels");
  CHECK(data::load_npz(folder / "x.npz", {.label = "regression_labels"}).train.labels == std::vector<float>{1, 0});
}

TEST_CASE("odd data: inverted masks, one length for streams of other lengths, one sample without its axis") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "x.npz";
  {
    io::NpzWriter writer(path);
    writer.add("train_audio", Tensor<float, 3>::from({2, 3, 1}, {1, 2, 0, 3, 0, 0}));
    writer.add("train_mask", Tensor<std::uint8_t, 2>::from({2, 3}, {0, 0, 1, 0, 1, 1}));
    writer.close();
    CHECK(note_with(data::load_npz(path), "inverted") ==
          "! train_mask looks inverted: of the frames of audio that it calls present 100 % are zeros, of the others "
          "100 % are not; 1 means present");
  }
  {
    io::NpzWriter writer(path);
    writer.add("train_audio", Tensor<float, 3>::full({2, 6, 1}, 1));
    writer.add("train_text", Tensor<float, 3>::full({2, 3, 1}, 1));
    writer.add("train_length", std::vector<std::int64_t>{3, 2});
    writer.close();
    const auto set = data::load_npz(path);
    CHECK(contains(note_with(set, "is one length for audio of 6 frames and text of 3"), "! train_length"));
    CHECK(note_with(set, "is one length for text") == "none");
  }
  {
    io::NpzWriter writer(path);
    for (const char* name : {"test_audio", "test_text"}) writer.add(name, Tensor<float, 2>::full({5, 3}, 1));
    writer.close();
    CHECK(contains(note_with(data::load_npz(path), "one sample of 5 frames would be (1, 5, D)"), "! all modalities"));
  }
}
