// What an array is: decided by the schema, and said. Nothing that holds labels becomes a modality unnoticed.
#include <doctest/doctest.h>

#include "fuzz/archive.hpp"
#include "io/temporary.hpp"
#include "lacuna/data/load.hpp"
#include "lacuna/data/trainable.hpp"
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
    w.add(split + "predictions", Tensor<float, 2>::full({3, 2}, 1));
    w.add(split + "text-bert", Tensor<float, 2>::full({3, 2}, 1));
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
      "Valence (named like a label), predictions (named like a label), text-bert (comes from text), mood (shaped like "
      "a label: one number per sample), "
      "kind (shaped like a label: one-hot rows)");
  CHECK(file.load({.modalities = {"audio", "emotion"}}).modality_names() == Names{"audio", "emotion"});
  CHECK(file.load({.include = {"mood", "nothing"}}).modality_names() == Names{"audio", "text", "mood", "pose"});
}

TEST_CASE("schema: modalities by their other names, and what is called vad") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    w.add(split + "VAD", Tensor<float, 2>::full({3, 3}, 1));            // valence, arousal, dominance
    w.add(split + "vad_frames", Tensor<float, 3>::full({3, 2, 1}, 1));  // voice activity
    w.add(split + "linguistic", Tensor<float, 3>::full({3, 2, 4}, 1));
    w.add(split + "facial", Tensor<float, 3>::full({3, 2, 4}, 1));
    w.add(split + "face_lengths", std::vector<std::int64_t>{2, 1, 0});
    w.add(split + "voice-pitch", Tensor<float, 3>::full({3, 2, 4}, 1));
  });
  const auto set = file.load();
  CHECK(set.modality_names() == Names{"audio", "text", "linguistic", "facial"});
  CHECK(note_with(set, "left out:") ==
        "! left out: VAD (named like a label), vad_frames (named like a label), voice-pitch (comes from audio)");
  CHECK(set.groups() == std::vector<std::size_t>{0, 1, 1, 3});
  CHECK(note_with(set, "face_lengths is taken") == "! face_lengths is taken for the lengths of facial");
  CHECK(file.load({.include = {"VAD"}}).modality_names() == Names{"audio", "text", "VAD", "linguistic", "facial"});
  CHECK(detail::text_among({"acoustic", "textual", "visual"}) == 1);
  CHECK(detail::text_among({"simulated_text", "bert_text", "text"}) == 2);
  CHECK(detail::text_among({"simulated_text", "view_2"}) == 2);
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

namespace {

/// A set in memory; `more` adds to its arrays, all of one split or of several.
using Members = std::vector<std::pair<std::string, test::Bytes>>;
template <class T>
test::Bytes npy_bytes(const std::string& dtype, const Shape& shape, const std::vector<T>& numbers) {
  const std::string header = io::npy_header(dtype, shape);
  test::Bytes bytes(header.begin(), header.end());
  const auto* const from = reinterpret_cast<const std::uint8_t*>(numbers.data());
  bytes.insert(bytes.end(), from, from + numbers.size() * sizeof(T));
  return bytes;
}
data::Dataset load_members(const Members& members) {
  return data::load_arrays(io::Npz(io::ByteSource("set.npz", test::archive(members))));
}
const test::Bytes two_vectors = npy_bytes<float>("<f4", {2, 2}, {1, 2, 3, 4}),
                  two_labels = npy_bytes<float>("<f4", {2}, {0, 1});

}  // namespace

TEST_CASE("schema: masks and lengths by other names are nobody's features") {
  const SchemaFile file([](io::NpzWriter& w, const std::string& split) {
    for (const char* name : {"attention_mask", "padding_mask", "key_padding_mask", "pad_mask"})
      w.add(split + name, Tensor<float, 2>::from({3, 2}, {1, 1, 1, 0, 1, 0}));
    w.add(split + "seq_len", std::vector<std::int64_t>{1, 2, 2});
    w.add(split + "hand", Tensor<float, 2>::from({3, 2}, {1, 2, 3, 4, 5, 6}));
  });
  const auto set = file.load();
  CHECK(set.modality_names() == Names{"audio", "text", "hand"});
  CHECK(
      contains(note_with(set, "left out:"),
               "attention_mask (named like a mask; what is read is called mask or MODALITY_mask, with 1 for present)"));
  CHECK(contains(note_with(set, "left out:"), "seq_len (named like lengths or a mask;"));
  CHECK(file.load({.include = {"attention_mask"}}).modality_names() ==
        Names{"audio", "text", "attention_mask", "hand"});
}

TEST_CASE("schema: names that no option and no table can hold are refused, a name of nothing is left out") {
  for (const char* name : {"a,b", "a\nb", "\x1b[2J"}) {
    const std::string message = test::message_of<IoError>([&] {
      load_members({{std::string("train_") + name + ".npy", two_vectors}});
    });
    CHECK(contains(message, "has a comma or a control character in it"));
    CHECK(!contains(message, "\n"));
  }
  const auto set = load_members({{"train_.npy", two_vectors}, {"train_x.npy", two_vectors}});
  CHECK(set.modality_names() == Names{"x"});
  CHECK(note_with(set, "left out:") == "! left out: train_ (nothing behind the split)");
}

TEST_CASE("schema: sequences here and vectors there, nothing present, two kinds of labels: a line each") {
  const test::Bytes sequence = npy_bytes<float>("<f4", {2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}),
                    vectors = npy_bytes<float>("<f4", {2, 2}, {1, 2, 3, 4});
  CHECK(note_with(load_members({{"train_a.npy", sequence}, {"test_a.npy", vectors}}), "vectors in one split") ==
        "! test_a is (2, 2), 'train_a' has 3 axes: vectors in one split, sequences in another; the vectors count as "
        "one frame");
  const test::Bytes none = npy_bytes<std::int64_t>("<i8", {2}, {0, 0});
  CHECK(note_with(load_members({{"train_a.npy", sequence}, {"train_length.npy", none}}), "no frame of a") ==
        "! train_length says that no frame of a is present: it is absent from all 2 samples");
  CHECK(contains(
      note_with(load_members({{"train_a.npy", sequence}, {"train_label.npy", two_labels}, {"train_class.npy", none}}),
                "there are real labels, label, and classes, class"),
      "models learn the real ones"));
}

TEST_CASE("schema: what a Mac or a hand put into the archive, empty lists, conversations in pieces") {
  const test::Bytes vectors = npy_bytes<float>("<f4", {2, 2}, {1, 2, 3, 4});
  const auto zipped = load_members({{"train_a.npy", vectors}, {"__MACOSX/._train_a.npy", {0, 5}}, {"README", {0}}});
  CHECK(zipped.modality_names() == Names{"a"});
  CHECK(contains(test::message_of<IoError>([&] {
                   load_members({{"train_a", vectors}});
                 }),
                 "it has none: no member is called NAME.npy"));
  const test::Bytes nobody = npy_bytes<double>("<f8", {0}, {});  // NumPy's type of an empty list
  const auto empty = load_members({{"train_a.npy", npy_bytes<float>("<f4", {0, 2}, {})}, {"train_id.npy", nobody}});
  CHECK(test::message_of<IoError>([&] { data::require_trainable(empty); }) ==
        "set.npz: there are no samples for training; expected arrays train_MODALITY and train_label or train_class");
  const test::Bytes six = npy_bytes<float>("<f4", {6, 1, 2}, std::vector<float>(12, 1));
  const auto talk = [&](const std::vector<std::int64_t>& names) {
    return note_with(load_members({{"train_a.npy", six}, {"train_dialogue.npy", npy_bytes("<i8", {6}, names)}}),
                     "conversations, but");
  };
  CHECK(talk({4, 4, 1, 1, 2, 2}) == "none");
  CHECK(talk({0, 1, 2, 0, 1, 2}) ==
        "! train_dialogue names 3 conversations, but their samples do not stand one after the other: they count as 6; "
        "sort the samples by conversation");
  CHECK(contains(
      test::message_of<IoError>([&] {
        load_members({{"train_a.npy", six}, {"train_label.npy", npy_bytes("<f4", {1, 6}, std::vector<float>(6))}});
      }),
      "has shape (1, 6), expected 1 axis, a number per sample: reshape it to (N)"));
  const test::Bytes classes = npy_bytes<std::int64_t>("<i8", {2}, {0, 1});
  CHECK(note_with(load_members({{"train_a.npy", vectors},
                                {"train_class.npy", classes},
                                {"test_a.npy", vectors},
                                {"test_label.npy", two_labels}}),
                  "there are real labels") == "none");  // in no split both: models learn classes
}

TEST_CASE("schema: ids of bytes that are no UTF-8 are written out, numbers out of range in few digits") {
  const auto set = load_members({{"train_a.npy", npy_bytes<float>("<f4", {2, 2}, {1, 2, 3, 4})},
                                 {"train_id.npy", npy_bytes<char>("|S3", {2}, {'\xff', 'a', 0, '\xc3', '\xa9', 'b'})}});
  CHECK(set.train.ids == Names{"\\xffa",
                               "\xc3\xa9"
                               "b"});
  CHECK(note_with(set, "no UTF-8") == "! train_id holds 1 ids that are no UTF-8: their bytes are written \\xff");
  CHECK(test::message_of<IoError>([] {
          load_members({{"train_a.npy", npy_bytes<double>("<f8", {2, 2}, {1, 1e300, 3, 4})}});
        }) == "set.npz: array 'train_a' element 1 is 1e+300, which float cannot hold");
}

TEST_CASE("schema: what cannot be trained on is told before anything takes time") {
  const auto refused = [](const Members& members) {
    const auto set = load_members(members);
    return test::message_of<IoError>([&] { data::require_trainable(set); });
  };
  const test::Bytes vectors = npy_bytes<float>("<f4", {2, 2}, {1, 2, 3, 4});
  CHECK(refused({{"test_a.npy", vectors}}) ==
        "set.npz: there are no samples for training; expected arrays train_MODALITY and train_label or train_class");
  CHECK(refused({{"train_a.npy", vectors}, {"train_y.npy", two_labels}}) ==
        "set.npz: the 2 samples of train have no labels; expected an array train_label (N) or train_class (N), or the "
        "name of "
        "another (option label)");
  Members train{{"train_a.npy", vectors}, {"train_label.npy", two_labels}};
  CHECK(contains(refused(train), "there are no samples for validation; expected arrays valid_MODALITY"));
  train.insert(train.end(), {{"valid_a.npy", vectors}, {"valid_label.npy", two_labels}});
  CHECK(refused(train) == "no error");
}
