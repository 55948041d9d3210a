// Files that are nearly right: each gets one line that says what, where, found, expected; none a wrong number without a word.
#if __has_include(<hdf5.h>) && defined(LACUNA_HDF5)
#include <hdf5.h>
#endif
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/data/formats/load.hpp"
#include "lacuna/data/formats/odd_times.hpp"
#include "lacuna/io/npz_writer.hpp"

namespace odd_files {

using namespace lacuna;
namespace formats = lacuna::data::formats;
using test::contains;

std::string message(const std::string& path, const formats::ImportOptions& options = {}) {
  return test::message_of<Error>([&] { formats::load(path, {}, options); });
}
std::string notes_of(const formats::Arrays& arrays) {
  std::string all;
  for (const auto& note : arrays.notes()) all += note.text + "\n";
  return all;
}
void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
std::string read_all(const std::string& path) {
  const auto bytes = test::read_bytes(path);
  return {bytes.begin(), bytes.end()};
}
/// The bytes of a .npy file of this type and shape, zeros in it.
std::string npy(const std::string& type, const Shape& shape, std::size_t bytes) {
  return io::npy_header(type, shape) + std::string(bytes, '\0');
}
/// train_text (2, 1, 1) and one more array of these bytes, of the training split unless its name says otherwise.
std::string npz_with(const test::TemporaryFolder& folder, const std::string& name, const std::string& content) {
  io::ZipWriter writer(folder / "set.npz");
  for (const auto& [member, text] : {std::pair{std::string("train_text.npy"), npy("<f4", {2, 1, 1}, 8)},
                                     std::pair{(contains(name, "_") ? "" : "train_") + name + ".npy", content}}) {
    const io::ZipWriter::Bytes parts[] = {{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}};
    writer.add(member, parts);
  }
  writer.close();
  return folder / "set.npz";
}

// Pickles of protocol 0, and a set of protocol 4.
std::string text_item(const std::string& text) { return "S'" + text + "'\n"; }
std::string list_of(const std::string& items) { return "(" + items + "l"; }
std::string dict_of(const std::string& pairs) { return "(" + pairs + "d"; }
std::string split_of(const std::string& ids, const std::string& labels = "regression_labels") {
  const std::string features = list_of(list_of(list_of("F1.5\n")) + list_of(list_of("F-2.5\n")));
  return dict_of(text_item("text") + features + text_item(labels) + list_of("F1\nF-1\n") + text_item("id") + ids);
}

}  // namespace odd_files

TEST_CASE("odd files: what is no data set says what it looks like") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  const std::string archive = read_all(npz_with(folder, "label", npy("<f4", {2}, 8)));
  CHECK(io::Npz(folder / "set.npz").names().size() == 2);
  write(folder / "x", "#!/bin/sh\n" + archive);
  CHECK(contains(message(folder / "x"),
                 "has 10 bytes in front of a zip archive (.npz, .pt); cut them off (tail -c +11)"));
  write(folder / "x", "\r\n" + archive);
  CHECK(contains(message(folder / "x"), "has 2 bytes in front"));
  write(folder / "x", npy("<f4", {2}, 8));
  CHECK(contains(message(folder / "x"), "is one array (.npy)"));
  write(folder / "x", "[1, 2]");
  CHECK(contains(message(folder / "x"), "looks like JSON"));
  for (const char* table : {"\xEF\xBB\xBFid,label\na,1\n", "id;label\r\na;1\r\n", "\"id\"\tlabel\na\t1\n"}) {
    write(folder / "x", table);
    CHECK(contains(message(folder / "x"),
                   "is a table as text, expected a data set; as tables it is a folder: label.csv"));
  }
  write(folder / "x", dict_of(text_item("a,b") + list_of("F1\n")) + ".");  // a pickle that is text
  CHECK(contains(message(folder / "x"), "is a pickle of"));
  write(folder / "x", "\x89LACUNA\n....");
  CHECK(contains(message(folder / "x"),
                 "is a model that lacuna trained (predict --checkpoint, convert), expected a data set"));
  write(folder / "x", "");
  CHECK(contains(message(folder / "x"), "is empty (0 bytes), expected a data set"));
}

TEST_CASE("odd files: arrays of another shape or type say which, and what to do") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  const auto with = [&](const std::string& name, const std::string& content) {
    return message(npz_with(folder, name, content));
  };
  CHECK(contains(with("valid_text", npy("<f8", {}, 8)),
                 "array 'valid_text' is <f8 (), expected numbers (N, D) or (N, T, D)"));
  CHECK(contains(with("label", npy("<f4", {2, 1}, 8)),
                 "has shape (2, 1), expected 1 axis, a number per sample: reshape"));
  CHECK(contains(with("label", npy("<U1", {2}, 8)), "has type <U1, expected numbers: convert it with astype"));
  CHECK(contains(with("class", npy("|u1", {2, 2}, 4)), "argmax(axis=1)"));
  CHECK(contains(with("class", npy("<f4", {2}, 8)), "has type <f4, expected integers: convert it with astype"));
  CHECK(contains(with("class", npy("<U1", {2}, 8)), "return_inverse"));
  CHECK(contains(with("label", npy("<c8", {2}, 16)), "array 'train_label' has type <c8"));
  CHECK(contains(with("length", npy("<c8", {2}, 16)), "array 'train_length' has type <c8"));
  const data::Dataset set = data::load_npz(npz_with(folder, "id", npy("<c8", {2}, 16)));
  CHECK(set.train.ids == std::vector<std::string>{"0", "1"});
  CHECK(std::any_of(set.notes.begin(), set.notes.end(), [](const data::Note& note) {
    return note.always && contains(note.text, "'train_id' has type <c8") && contains(note.text, "numbered instead");
  }));
}

TEST_CASE("odd files: splits, ids and labels of MMSA under other names and in sets") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  const std::string ids = list_of(text_item("a") + text_item("b"));
  const auto import = [&](const std::string& pairs) {
    write(folder / "x.pkl", dict_of(pairs) + ".");
    return formats::import(folder / "x.pkl");
  };
  formats::Arrays arrays = import(text_item("train") + split_of(ids) + text_item("dev") + split_of(ids));
  CHECK(arrays.contains("valid_text"));
  CHECK(contains(notes_of(arrays), "there is no valid split; dev is taken for it"));
  CHECK(contains(notes_of(arrays), "there is no test split; the file has train, dev"));
  CHECK(contains(notes_of(import(text_item("train") + split_of(ids, "classification_labels"))),
                 "train has no regression_labels, and classification_labels are not read"));
  const std::string frames = list_of(list_of("F1\n"));  // MISA: one sample of two has an id
  const auto sample = [&](const std::string& id) {
    return list_of(list_of(list_of("I1\n") + frames + frames + list_of(text_item("w"))) + list_of("F1\n") + id);
  };
  write(folder / "x.pkl", list_of(sample(text_item("a")) + sample("N")) + ".");
  CHECK(
      contains(notes_of(formats::import(folder / "x.pkl")), "1 of 2 samples have no id, so all of them are numbered"));
  const std::string set = std::string("\x8f(") + text_item("a") + text_item("b") + "\x90";
  CHECK_THROWS_WITH_AS(import(text_item("train") + split_of(set)),
                       doctest::Contains("train/id is a set, which has no order"), IoError);
}

TEST_CASE("odd files: tables with other separators, other modes and no features") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  write(folder / "label.csv", "video_id\tclip_id\tlabel\tmode\nv\t1\t0.5\ttrain\n");
  CHECK(contains(message(folder.path()), "fields look separated by tabs, expected commas"));
  write(folder / "label.csv", "video_id;clip_id;label;mode\nv;1;0,5;train\n");
  CHECK(contains(message(folder.path()),
                 "fields look separated by ;, expected commas between fields and a point in numbers"));
  write(folder / "label.csv", "video_id,clip_id,label,mode\nv,1,0.5,train\nv,2,1.5,Train\n");
  CHECK(contains(message(folder.path()), "has no features; expected tables features/FEATURE/VIDEO/CLIP.csv"));
  std::filesystem::create_directories(folder / "features/face/v");
  write(folder / "features/face/v/1.csv",
        "\xEF\xBB\xBF"
        "a,b\r\n1,2\r\n");
  CHECK(contains(notes_of(formats::import(folder.path())),
                 "1 of 2 samples are left out: mode is 'Train', expected train, valid"));
}

TEST_CASE("odd files: a table in UTF-16 is called one") {
  using namespace odd_files;
  CHECK_THROWS_WITH_AS(io::Csv(test::in_memory("x", std::string("\xFF\xFE") + std::string("a\0\n\0", 4))),
                       doctest::Contains("x: is UTF-16, expected UTF-8"), IoError);
}

TEST_CASE("odd files: tables without header, with numbered rows, with columns in another order") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  write(folder / "label.csv", "video_id,clip_id,label,mode\nv,1,+0.5 ,train\nv,2,1e-400,train\n");
  std::filesystem::create_directories(folder / "features/face/v");
  const auto tables = [&](const std::string& first, const std::string& second) {
    write(folder / "features/face/v/1.csv", first);
    write(folder / "features/face/v/2.csv", second);
  };
  const std::string numbered = ",0,1\n0,5,6\n1,7,8\n";  // pandas, with its index
  tables(numbered, "0,1\n+9.5,1e-60 \n");
  const formats::Arrays arrays = formats::import(folder.path());
  CHECK(arrays.at("train_face").read().shape() == Shape{2, 2, 2});
  CHECK(arrays.at("train_face").read().as<float>() == std::vector<float>{5, 6, 7, 8, 9.5f, 0, 0, 0});
  CHECK(arrays.at("train_label").read().as<float>() == std::vector<float>{0.5f, 0});
  tables(numbered, "2.5e-1,3\n1,2\n");
  CHECK(contains(message(folder.path()), "2.csv: has numbers in its first row, expected the names of the columns"));
  tables("a,b\n1,2\n", "b,a\n1,2\n");
  CHECK(contains(message(folder.path()), "2.csv: has column 'b' where other tables have 'a', expected the same order"));
  tables("a,b\n1,2\n", "c,d\n1,1e39\n");
  CHECK(contains(message(folder.path()), "2.csv: row 1 has '1e39' in column 'd', which float cannot hold"));
  tables("a,b\n1,2\n", "a,b\n1,1e400\n");
  CHECK(contains(message(folder.path()), "row 1 has '1e400' in column 'b', which double cannot hold"));
  tables("a,b\n1,2\n", "a,b\n1,+-2\n");
  CHECK(contains(message(folder.path()), "row 1 has '+-2' in column 'b', expected a number"));
}

TEST_CASE("odd files: values of MERTools as text are numbers, or refused") {
  using namespace odd_files;
  const auto values = [](const std::string& one, const std::string& other) {
    const auto sample = [](const std::string& text) { return "}Vval\nV" + text + "\ns"; };
    return formats::mertools_corpus(
               io::load_pickle(test::in_memory("x", "}Va\n" + sample(one) + "sVb\n" + sample(other) + "s.")))
        .values;
  };
  CHECK(values("0.25", "-3") == std::vector<float>{0.25f, -3});
  CHECK((std::isnan(values("", "1")[0]) && std::isnan(values("1", "-10.0")[1])));
  CHECK_THROWS_WITH_AS(values("1", "good"), doctest::Contains("b/val is 'good', expected a number, or an empty text"),
                       IoError);
}

TEST_CASE("odd files: speakers as an array or as numbers are speakers") {
  using namespace odd_files;
  using namespace std::string_literals;
  const auto speaker = [](const std::string& list, std::size_t u) {
    return formats::speaker_of(io::load_pickle(test::in_memory("x", list + ".")), u);
  };
  CHECK(speaker(test::pickled_array("U1", "<", {2}, "M\0\0\0F\0\0\0"s, false, 4), 1) == "F");
  CHECK(speaker(test::pickled_array("u1", "|", {2}, "\7\3"s), 1) == "3");
  CHECK(speaker(test::pickled_array("u1", "|", {1, 3}, "\0\1\0"s), 0) == "1");  // one-hot
  CHECK(speaker("](VM\nI7\ne", 0) == "M");
  CHECK(speaker("](VM\nI7\ne", 1) == "7");
  CHECK(speaker("](F0.5\ne", 0) == "");
}

TEST_CASE("odd files: seconds that cover no time, and seconds that are none") {
  using namespace odd_files;
  using Intervals = std::vector<std::array<double, 2>>;
  const auto series_of = [](const char* name, const Intervals& intervals) {
    formats::TimeSeries series{name, {"v"}};
    series.rows["v"].intervals = intervals;
    return series;
  };
  const formats::TimeSeries words = series_of("words", {{0, 1}, {1, 2}});
  const auto times = [&](const Intervals& intervals) {
    const formats::TimeSeries series = series_of("A", intervals);
    std::string all;
    for (const std::string& line : formats::odd_times(series, words)) all += line + "\n";
    return all;
  };
  CHECK(times({{0, 1}, {1, 2}}) == "");
  CHECK(contains(
      times({{0, 1}, {2, 1}, {NAN, 3}}),
      "A: 2 of 3 intervals cover no time and are used nowhere; the first is row 1 of 'v', from 2.000000 to 1.000000"));
  CHECK(contains(times({{0, 1000}, {1000, 2000}}), "A ends at 2000.000000, words at 2.000000: are both in seconds?"));

  formats::TimeSeries reference = words;
  reference.rows["w"] = reference.rows["v"];
  std::vector<formats::TimeSeries> series = {series_of("A", {{0, 1}, {1, 2}})};
  const formats::LeftOut left = formats::align(reference, series, true);
  CHECK(left.ids == 1);
  CHECK(left.first + left.lacking == "wA");
}

#if __has_include(<hdf5.h>) && defined(LACUNA_HDF5)
namespace odd_files {

/// A dataset (rows, columns) of floats, each its position, or of words of eight bytes, with the groups above it.
void add_rows(hid_t file, const std::string& path, hsize_t rows, hsize_t columns, bool words = false) {
  const hid_t links = H5Pcreate(H5P_LINK_CREATE);
  H5Pset_create_intermediate_group(links, 1);
  const hsize_t extents[] = {rows, columns};
  const hid_t space = H5Screate_simple(2, extents, nullptr);
  const hid_t type = words ? H5Tcopy(H5T_C_S1) : H5Tcopy(H5T_NATIVE_FLOAT);
  if (words) H5Tset_size(type, 8);
  const hid_t set = H5Dcreate2(file, path.c_str(), type, space, links, H5P_DEFAULT, H5P_DEFAULT);
  std::vector<float> numbers;
  for (hsize_t n = 0; n < rows * columns; ++n) numbers.push_back(float(n));
  const std::string text(std::size_t(8 * rows * columns), 'w');
  H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, words ? static_cast<const void*>(text.data()) : numbers.data());
  H5Tclose(type);
  H5Dclose(set), H5Sclose(space), H5Pclose(links);
}

}  // namespace odd_files

TEST_CASE("odd files: a video with other features than the first is refused") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  const hid_t file = H5Fcreate((folder / "a.csd").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const hsize_t width : {4, 3}) {
    const std::string key = "A/data/v" + std::to_string(width);
    add_rows(file, key + "/features", 2, width);
    add_rows(file, key + "/intervals", 2, 2);
  }
  H5Fclose(file);
  CHECK_THROWS_WITH_AS(formats::width_of(io::Csd(folder / "a.csd")),
                       doctest::Contains("'v4' has 4 features, expected 3 as 'v3' has"), IoError);
}

TEST_CASE("odd files: of labels with several columns the first is taken, and that is said") {
  using namespace odd_files;
  const test::TemporaryFolder folder;
  for (const auto& [name, columns] : {std::pair("words", 1), std::pair("labels", 7), std::pair("A", 3)}) {
    const hid_t file =
        H5Fcreate((folder / (std::string(name) + ".csd")).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const std::string key = std::string(name) + "/data/v[0]";
    add_rows(file, key + "/features", 1, hsize_t(columns), std::string(name) == "words");
    add_rows(file, key + "/intervals", 1, 2);  // from 0 to 1
    H5Fclose(file);
  }
  CHECK(contains(notes_of(formats::import(folder.path())), "label: column 0 of 7 of labels; the others are left out"));
}
#endif
