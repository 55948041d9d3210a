#include "lacuna/data/load.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/data/batch.hpp"
#include "lacuna/io/npz_writer.hpp"
#include "support/paths.hpp"

using namespace lacuna;
using data::load_npz;
using data::LoadOptions;
using io::NpzWriter;
using test::contains;

namespace {

const float not_a_number = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

/// Writes a file with `fill(writer)` and gives its path to `use`.
struct File {
  test::TemporaryFolder folder;
  std::string path = folder / "set.npz";
  template <class Fill>
  explicit File(Fill&& fill) {
    NpzWriter writer(path);
    fill(writer);
    writer.close();
  }
};

template <std::size_t R>
Tensor<float, int(R)> counting(const std::array<index_t, R>& extents) {
  Tensor<float, int(R)> tensor(extents);
  for (index_t i = 0; i < tensor.size(); ++i) tensor.data()[i] = float(i + 1);
  return tensor;
}
Tensor<float, 3> cube(index_t n, index_t t, index_t d) { return counting(std::array<index_t, 3>{n, t, d}); }
Tensor<float, 2> table(index_t n, index_t d) { return counting(std::array<index_t, 2>{n, d}); }

/// A complete small set: text (N, 3, 2), audio (N, 4), labels; 2, 1 and 3 samples.
void fill_small(NpzWriter& writer) {
  const std::pair<const char*, index_t> splits[] = {{"train_", 2}, {"valid_", 1}, {"test_", 3}};
  for (const auto& [split, n] : splits) {
    writer.add(std::string(split) + "text", cube(n, 3, 2));
    writer.add(std::string(split) + "audio", table(n, 4));
    writer.add(std::string(split) + "label", std::vector<float>(std::size_t(n), 0.5f));
  }
}
template <class Fill>
std::string error(Fill&& fill, const LoadOptions& options = {}) {
  const File file(fill);
  const std::string message = test::message_of<Error>([&] { load_npz(file.path, options); });
  CHECK(!contains(message, "\n"));
  CHECK((message == "no error" || contains(message, "set.npz")));
  return message;
}
/// fill_small with one more array.
template <class... Arguments>
auto small_and(const char* name, const Arguments&... arguments) {
  return [=](NpzWriter& writer) {
    fill_small(writer);
    writer.add(name, arguments...);
  };
}
bool has_note(const data::Dataset& dataset, const std::string& piece) {
  for (const data::Note& note : dataset.notes)
    if (contains(note.text, piece)) return true;
  return false;
}

}  // namespace

TEST_CASE("load: the schema") {
  const File file([](NpzWriter& writer) {
    fill_small(writer);
    writer.add("train_length", std::vector<std::int64_t>{3, 1});
    writer.add("test_text_mask", Tensor<std::uint8_t, 2>::from({3, 3}, {0, 0, 0, 1, 0, 1, 1, 1, 1}));
    writer.add("test_length", std::vector<std::int64_t>{1, 1, 1});  // text has its own
    writer.add("train_id", std::vector<std::string>{"a", "\xC3\xBC"});
    writer.add("test_id", std::vector<std::int32_t>{7, 8, 9});
    writer.add("train_words", Tensor<std::int32_t, 2>::full({2, 3}, 5));
    writer.add("readme", std::vector<std::string>{"text"});
  });
  const auto dataset = load_npz(file.path);
  CHECK(dataset.name == "set.npz");
  CHECK(dataset.class_count == 0);
  CHECK(dataset.modality_names() == std::vector<std::string>{"audio", "text"});
  CHECK(dataset.dimensions() == std::vector<index_t>{4, 2});
  CHECK(dataset.train.labels == std::vector<float>{0.5f, 0.5f});
  CHECK(dataset.train.ids == std::vector<std::string>{"a", "\xC3\xBC"});
  CHECK(dataset.validation.ids == std::vector<std::string>{"0"});
  CHECK(dataset.test.ids == std::vector<std::string>{"7", "8", "9"});
  const auto& text = dataset.train.modalities[1];
  CHECK(text.frames.shape() == Shape{2, 3, 2});
  CHECK(text.present.to_vector() == std::vector<std::uint8_t>{1, 1, 1, 1, 0, 0});
  CHECK(text.frames.to_vector() == std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0});
  CHECK(dataset.test.modalities[1].present.to_vector() == std::vector<std::uint8_t>{0, 0, 0, 1, 0, 1, 1, 1, 1});
  CHECK(dataset.test.modalities[1].frames(1, 1, 0) == 0);
  CHECK(dataset.train.modalities[0].frames.shape() == Shape{2, 1, 4});
  CHECK(dataset.train.modalities[0].present.to_vector() == std::vector<std::uint8_t>{1, 1});
  CHECK(has_note(dataset,
                 "modalities: audio (4 features), text (3 frames, 2 features, length, text_mask); label: label"));
  CHECK(has_note(dataset, "left out: readme (no name of a split), words (integers with two axes)"));
  CHECK(has_note(dataset, "valid_text has neither length nor mask"));
}

TEST_CASE("load: order and choice of modalities") {
  const File file([](NpzWriter& writer) {
    for (const char* name : {"zer", "video", "text", "fou", "audio"})
      writer.add(std::string("train_") + name, table(2, 3));
  });
  const auto names = [&](LoadOptions options) { return load_npz(file.path, options).modality_names(); };
  using Names = std::vector<std::string>;
  CHECK(names({}) == Names{"audio", "text", "video", "zer", "fou"});
  CHECK(names({.modalities = {"fou", "text"}}) == Names{"fou", "text"});
  CHECK(names({.exclude = {"text", "zer"}}) == Names{"audio", "video", "fou"});
  CHECK(names({.modalities = {"fou", "text"}, .exclude = {"text"}}) == Names{"fou"});
  const auto refused = [&](LoadOptions options) {
    return test::message_of<OptionError>([&] { load_npz(file.path, options); });
  };
  CHECK(contains(refused({.modalities = {"texts"}}), "modality 'texts' is not in the file"));
  CHECK(contains(refused({.modalities = {"texts"}}), "has zer, video, text, fou, audio"));
  CHECK(contains(refused({.modalities = {"text", "text"}}), "named twice"));
  CHECK(contains(refused({.exclude = {"words"}}), "'words' is not in the file"));
  CHECK(contains(refused({.label = "label7"}), "no label array train_label7"));
  CHECK(contains(test::message_of<IoError>([&] {
                   names({.exclude = {"audio", "text", "video", "zer", "fou"}});
                 }),
                 "no modality is left"));
  const auto dataset = load_npz(file.path);
  CHECK(dataset.validation.size() == 0);
  CHECK(dataset.validation.modalities[4].frames.shape() == Shape{0, 1, 3});
  CHECK(has_note(dataset, "there is no valid split"));
  CHECK(has_note(dataset, "have no label"));
}

TEST_CASE("load: a modality that a split lacks is absent there") {
  const File file([](NpzWriter& writer) {
    fill_small(writer);
    writer.add("test_video", cube(3, 5, 6));
  });
  const auto dataset = load_npz(file.path);
  const auto& video = dataset.train.modalities[2];
  CHECK(video.name == "video");
  CHECK(video.frames.shape() == Shape{2, 1, 6});
  CHECK(video.frames.to_vector() == std::vector<float>(12, 0));
  CHECK(video.present.to_vector() == std::vector<std::uint8_t>{0, 0});
  CHECK(dataset.test.modalities[2].present(2, 4) == 1);
  CHECK(has_note(dataset, "train_video is missing: the modality is absent from all 2 samples"));
  const auto batch = data::gather<float>(dataset.train, std::vector<index_t>{1});
  CHECK(batch.streams[2].frames.shape() == Shape{1, 1, 6});
}

TEST_CASE("load: vectors may be absent sample by sample") {
  const File file(small_and("train_audio_mask", std::vector<std::uint8_t>{0, 1}));
  const auto audio = load_npz(file.path).train.modalities[0];
  CHECK(audio.present.to_vector() == std::vector<std::uint8_t>{0, 1});
  CHECK(audio.frames.to_vector() == std::vector<float>{0, 0, 0, 0, 5, 6, 7, 8});
}

TEST_CASE("load: length and mask together mean what both allow") {
  const File file([](NpzWriter& writer) {
    fill_small(writer);
    writer.add("train_length", std::vector<std::int32_t>{2, 0});
    writer.add("train_mask", Tensor<float, 2>::from({2, 3}, {0, 1, 1, 1, 1, 1}));
  });
  CHECK(load_npz(file.path).train.modalities[1].present.to_vector() == std::vector<std::uint8_t>{0, 1, 0, 0, 0, 0});
  CHECK(has_note(load_npz(file.path),
                 "train_mask calls 4 frames of text present that lie behind its train_length: they count as absent"));
  const File holes([](NpzWriter& writer) {
    fill_small(writer);
    writer.add("train_length", std::vector<std::int32_t>{2, 3});
    writer.add("train_mask", Tensor<float, 2>::from({2, 3}, {0, 1, 0, 1, 0, 1}));
  });
  CHECK_FALSE(has_note(load_npz(holes.path), "behind"));
}

TEST_CASE("load: padding is inferred only when asked for and not stated") {
  const auto fill = [](NpzWriter& writer) {
    auto text = cube(2, 3, 2);
    for (index_t d = 0; d < 2; ++d) text(0, 0, d) = text(1, 2, d) = 0;
    text(1, 0, 0) = 0;  // half a frame
    writer.add("train_text", text);
  };
  const File file(fill);
  CHECK(load_npz(file.path).train.modalities[0].present.to_vector() == std::vector<std::uint8_t>(6, 1));
  CHECK(load_npz(file.path, {.infer_padding = true}).train.modalities[0].present.to_vector() ==
        std::vector<std::uint8_t>{0, 1, 1, 1, 1, 0});
  const File stated([&](NpzWriter& writer) {
    fill(writer);
    writer.add("train_length", std::vector<std::int32_t>{3, 3});
  });
  CHECK(load_npz(stated.path, {.infer_padding = true}).train.modalities[0].present.to_vector() ==
        std::vector<std::uint8_t>(6, 1));
}

TEST_CASE("load: labels, classes, and the choice between arrays") {
  const File file([](NpzWriter& writer) {
    for (const char* split : {"train_", "valid_", "test_"}) {
      writer.add(std::string(split) + "audio", table(2, 2));
      writer.add(std::string(split) + "label", std::vector<std::int64_t>{-3, 3});
      writer.add(std::string(split) + "class", std::vector<std::int64_t>{0, split[1] == 'e' ? 4 : 1});
      writer.add(std::string(split) + "arousal", std::vector<double>{0.25, 0.75});
      writer.add(std::string(split) + "sex", std::vector<std::uint8_t>{1, 0});
    }
  });
  auto dataset = load_npz(file.path);
  CHECK(dataset.train.labels == std::vector<float>{-3, 3});  // "label" is real whatever its type
  CHECK(dataset.test.classes == std::vector<index_t>{0, 4});
  CHECK(dataset.class_count == 5);
  dataset = load_npz(file.path, {.label = "arousal"});
  CHECK(dataset.train.labels == std::vector<float>{0.25f, 0.75f});
  CHECK(dataset.train.classes.empty());
  CHECK(dataset.class_count == 0);
  dataset = load_npz(file.path, {.label = "sex"});
  CHECK(dataset.train.classes == std::vector<index_t>{1, 0});
  CHECK(dataset.train.labels.empty());
  CHECK(dataset.class_count == 2);
}

TEST_CASE("load: ids that repeat or cross splits are noted") {
  const File file([](NpzWriter& writer) {
    fill_small(writer);
    writer.add("train_id", std::vector<std::string>{"a", "a"});
    writer.add("test_id", std::vector<std::string>{"a", "b", "c"});
  });
  const auto dataset = load_npz(file.path);
  CHECK(has_note(dataset, "train_id repeats 1 ids"));
  CHECK(has_note(dataset, "test_id holds 1 ids that another split holds too"));
}

TEST_CASE("load: numbers that are not finite") {
  const auto fill = [](NpzWriter& writer) {
    auto text = cube(2, 3, 2);
    text(0, 1, 1) = not_a_number;
    text(1, 0, 0) = -infinity;
    text(1, 2, 0) = not_a_number;
    writer.add("train_text", text);
  };
  const std::string message = error(fill);
  CHECK(contains(message, "array 'train_text' holds 2 NaN and 1 infinite features, the first at (0, 1, 1)"));
  const File file(fill);
  const auto dataset = load_npz(file.path, {.non_finite = data::NonFinite::zero});
  CHECK(dataset.train.modalities[0].frames(0, 1, 1) == 0);
  CHECK(dataset.train.modalities[0].frames(1, 0, 0) == 0);
  CHECK(dataset.train.modalities[0].present(0, 1) == 1);
  CHECK(has_note(dataset, "2 NaN and 1 infinite features"));
  const File padded([&](NpzWriter& writer) {  // in padding they do not matter
    fill(writer);
    writer.add("train_length", std::vector<std::int32_t>{1, 0});
  });
  CHECK(load_npz(padded.path).train.modalities[0].frames.to_vector() ==
        std::vector<float>{1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});

  auto vectors = table(2, 3);
  vectors(1, 2) = infinity;
  CHECK(contains(error([&](NpzWriter& w) { w.add("train_a", vectors); }),
                 "0 NaN and 1 infinite features, the first at (1, 2)"));
  CHECK(contains(error([&](NpzWriter& w) {
                   w.add("train_a", table(2, 3));
                   w.add("train_label", std::vector<float>{1, not_a_number});
                 }),
                 "'train_label' gives sample 1 a label that is NaN or infinite"));
  CHECK(contains(error([&](NpzWriter& w) {
                   w.add("train_a", Tensor<double, 2>::full({2, 3}, 1e300));
                 }),
                 "which float cannot hold"));
}

TEST_CASE("load: what does not fit is refused, by name") {
  using Lengths = std::vector<std::int64_t>;
  CHECK(error(fill_small) == "no error");
  CHECK(contains(error(small_and("train_video", cube(5, 2, 2))),
                 "array 'train_video' has 5 samples, expected 2 as 'train_audio' has"));
  CHECK(contains(error([](NpzWriter& w) {
                   w.add("train_a", table(2, 3));
                   w.add("test_a", table(2, 4));
                 }),
                 "array 'test_a' has 4 features, expected 3 as 'train_a' has"));
  CHECK(contains(error([](NpzWriter& w) {
                   w.add("train_a", table(2, 3));
                   w.add("test_a", std::vector<std::string>(2, "x"));
                 }),
                 "array 'test_a' is <U1 (2), expected numbers (N, D) or (N, T, D)"));
  CHECK(contains(error([](NpzWriter& w) { w.add("train_a", cube(2, 0, 3)); }),
                 "expected at least one frame and feature"));
  CHECK(
      contains(error([](NpzWriter& w) { w.add("train_a", table(2, 0)); }), "expected at least one frame and feature"));
  CHECK(contains(error(small_and("train_length", Lengths{1, 4})),
                 "gives sample 1 the length 4, expected 0..3 as 'train_text' has"));
  CHECK(contains(error(small_and("train_length", Lengths{-1, 3})), "gives sample 0 the length -1"));
  CHECK(contains(error(small_and("train_length", Lengths{1})), "'train_length' has 1 samples, expected 2"));
  CHECK(contains(error(small_and("train_length", std::vector<float>{1, 2})), "expected integers"));
  CHECK(contains(error(small_and("train_length", std::int64_t(3))), "is a single number"));
  CHECK(contains(error(small_and("train_mask", Mask<2>::full({2, 4}, 1))), "has shape (2, 4), expected (2, 3)"));
  CHECK(contains(error(small_and("train_mask", Mask<2>::full({2, 3}, 2))), "holds 2.0"));
  CHECK(contains(error(small_and("train_text_mask", std::vector<std::string>{"a", "b"})), "expected (2, 3)"));
  CHECK(contains(error(small_and("train_class", Lengths{0, -1})), "the class -1, expected 0..65535"));
  CHECK(contains(error(small_and("train_class", Lengths{0, 1ll << 60})), "expected 0..65535"));
  CHECK(contains(error(small_and("train_class", std::vector<float>{0, 1})), "expected integers"));
  CHECK(contains(error(small_and("train_id", Tensor<int, 2>::full({2, 2}, 1))), "expected one id per sample"));
  CHECK(contains(error(small_and("train_id", std::vector<float>{1, 2})), "expected integers"));
  CHECK(contains(error([](NpzWriter& w) {
                   w.add("train_a", table(2, 3));
                   w.add("train_label", table(2, 1));
                 }),
                 "'train_label' has shape (2, 1), expected 1 axis"));
  CHECK(contains(error([](NpzWriter& w) { w.add("text", table(2, 3)); }), "no array is named train_, valid_ or test_"));
  CHECK(contains(error([](NpzWriter& w) { w.add("train_id", Lengths{1}); }), "no modality is left"));
  CHECK(contains(error([](NpzWriter&) {}), "it has none"));
  // Few bytes that would become terabytes of zeros.
  CHECK(contains(error([](NpzWriter& w) {
                   w.add("train_a", table(1, 1000000));
                   w.add("test_label", std::vector<float>(1000000));
                 }),
                 "out of proportion to the file"));
  const test::TemporaryFolder folder;
  CHECK(contains(test::message_of<IoError>([&] { load_npz(folder / "none.npz"); }), "cannot be opened"));
}

TEST_CASE("load: arrays of unreadable types are skipped; damaged ones are not") {
  const test::TemporaryFolder folder;
  const std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
  std::string pickled = std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header + "pickle";
  for (const bool damaged : {false, true}) {
    if (damaged) pickled[1] = 'X';
    io::ZipWriter writer(folder / "x.npz");
    const std::string text = io::npy_header("<f4", {1, 2}) + std::string(8, '\0');
    for (const auto& [name, content] : {std::pair{"train_words.npy", pickled}, std::pair{"train_text.npy", text}}) {
      const io::ZipWriter::Bytes parts[] = {{reinterpret_cast<const std::uint8_t*>(content.data()), content.size()}};
      writer.add(name, parts);
    }
    writer.close();
    if (damaged)
      CHECK_THROWS_AS(load_npz(folder / "x.npz"), IoError);
    else
      CHECK(has_note(load_npz(folder / "x.npz"), "left out: words (Python objects)"));
  }
}

TEST_CASE("load: random files either load as stated or are refused") {
  const test::TemporaryFolder folder;
  Random random(11);
  int loaded = 0, refused = 0;
  for (int round = 0; round < 250; ++round) {
    NpzWriter writer(folder / "x.npz", {.deflate = round % 3 == 0});
    const index_t n = random.below(4), t = 1 + random.below(3), d = 1 + random.below(3);
    for (const std::string split : {"train_", "valid_", "test_"}) {
      for (const char* what : {"a", "b", "length", "mask", "a_mask", "b_length", "label", "class", "id"}) {
        if (random.below(3) == 0) continue;
        // Now and then a size, a type or a value that does not fit.
        const auto off = [&](index_t right) { return random.below(60) == 0 ? random.below(5) : right; };
        const std::string name = split + what;
        const int kind = random.below(60) == 0              ? int(random.below(4))
                         : what[1] == '\0'                  ? 0
                         : what[0] == 'm' || what[2] == 'm' ? 1
                                                            : 2;
        if (kind == 0 && random.below(2))
          writer.add(name, cube(off(n), off(t), off(d)));
        else if (kind == 0)
          writer.add(name, table(off(n), off(d)));
        else if (kind == 1)
          writer.add(name, Mask<2>::full({off(n), off(t)}, std::uint8_t(off(1))));
        else if (kind == 2)
          writer.add(name, std::vector<std::int64_t>(std::size_t(off(n)), off(1)));
        else
          writer.add(name, std::vector<std::string>(std::size_t(off(n)), "x"));
      }
    }
    writer.close();
    try {
      const auto dataset = load_npz(folder / "x.npz", {.infer_padding = round % 2 == 0});
      ++loaded;
      const auto check = [&](const auto& split) {
        REQUIRE(split.modalities.size() == dataset.dimensions().size());
        REQUIRE((split.labels.empty() || index_t(split.labels.size()) == split.size()));
        REQUIRE((split.classes.empty() || index_t(split.classes.size()) == split.size()));
        for (std::size_t m = 0; m < split.modalities.size(); ++m) {
          const auto& modality = split.modalities[m];
          const index_t frames = modality.frames.extent(1);
          REQUIRE(modality.frames.shape() == Shape{split.size(), frames, dataset.dimensions()[m]});
          REQUIRE(modality.present.shape() == Shape{split.size(), frames});
          for (index_t i = 0; i < modality.frames.size(); ++i)
            REQUIRE((modality.present.data()[i / modality.features()] == 1 || modality.frames.data()[i] == 0));
        }
        std::vector<index_t> all(static_cast<std::size_t>(split.size()));
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = index_t(i);
        REQUIRE(data::gather<float>(split, all).size() == split.size());
      };
      check(dataset.train);
      check(dataset.validation);
      check(dataset.test);
    } catch (const Error&) {
      ++refused;
    }
  }
  MESSAGE("loaded ", loaded, ", refused ", refused);
  CHECK(loaded > 30);
  CHECK(refused > 30);
}

TEST_CASE("load: the real sets" * doctest::skip(!test::have_data())) {
  const auto load = [](const char* name, LoadOptions options = {}) {
    return load_npz(test::data_dir() + "/" + name, options);
  };
  const auto present = [](const data::Modality& modality) {
    index_t count = 0;
    for (const std::uint8_t one : modality.present.to_vector()) count += one;
    return count;
  };
  const auto sizes = [](const data::Dataset& d) {
    return std::vector<index_t>{d.train.size(), d.validation.size(), d.test.size()};
  };
  using Sizes = std::vector<index_t>;
  SUBCASE("utterances, trimodal") {
    const auto mosi = load("mosi_utt_bclstm.npz");
    CHECK(sizes(mosi) == Sizes{1209, 238, 752});
    CHECK(mosi.modality_names() == std::vector<std::string>{"audio", "text", "video"});
    CHECK(mosi.dimensions() == Sizes{73, 100, 100});
    CHECK(mosi.train.labels.size() == 1209);
    CHECK(mosi.train.classes.empty());
    CHECK(mosi.test.ids[0] == "03bSnISJMiM_1");
    CHECK(present(mosi.test.modalities[2]) == 752);
    CHECK(has_note(mosi,
                   "left out: label2 (named like a label), official_split (text), fold (no features by its shape)"));
    const auto classes = load("mosi_utt_bclstm.npz", {.label = "label2"});
    CHECK(classes.class_count == 2);
    CHECK(classes.test.labels.empty());
    for (std::size_t i = 0; i < 752; ++i) REQUIRE(classes.test.classes[i] == (mosi.test.labels[i] >= 0));
  }
  SUBCASE("six views, classes") {
    const auto digits = load("mfeat_six_views.npz");
    CHECK(sizes(digits) == Sizes{1200, 300, 500});
    CHECK(digits.modality_names() == std::vector<std::string>{"fou", "fac", "kar", "pix", "zer", "mor"});
    CHECK(digits.dimensions() == Sizes{76, 216, 64, 240, 47, 6});
    CHECK(digits.class_count == 10);
    CHECK(digits.train.labels.empty());
    CHECK(digits.notes.size() == 1);
    CHECK(!digits.notes[0].always);
  }
  SUBCASE("sequences with lengths, half precision and words") {
    const auto mosi = load("mosi_dev_wordaligned.npz");
    CHECK(sizes(mosi) == Sizes{127, 59, 43});
    CHECK(mosi.dimensions() == Sizes{74, 63, 47});
    CHECK(mosi.train.modalities[1].frames.shape() == Shape{127, 44, 63});
    CHECK(present(mosi.train.modalities[0]) == 1342);
    CHECK(has_note(mosi, "left out: words (text)"));
  }
  SUBCASE("sequences with a mask, text absent from training") {
    const auto reviews = load("mmmo_seq.npz");
    CHECK(sizes(reviews) == Sizes{220, 40, 80});
    CHECK(reviews.dimensions() == Sizes{74, 300, 36});
    CHECK(reviews.train.modalities[1].frames.shape() == Shape{220, 1, 300});
    CHECK(present(reviews.train.modalities[1]) == 0);
    CHECK(present(reviews.train.modalities[0]) == 4135);
    CHECK(present(reviews.test.modalities[1]) == 1472);
    CHECK(has_note(reviews, "train_text is missing"));
  }
}
