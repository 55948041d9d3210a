// HDF5 and computational sequences, against what is known of the files, which are no part of the repository. Left out
// where the library is not installed.
#if __has_include(<hdf5.h>)
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/core/random.hpp"
#include "lacuna/io/csd.hpp"
#include "lacuna/io/npz.hpp"
#include "support/paths.hpp"

namespace hdf5_files {

using namespace lacuna;

nlohmann::json read_json(const std::string& path) { return nlohmann::json::parse(std::ifstream(path)); }

/// "" or what differs; half numbers come as float.
std::string difference(const io::NpyArray& found, const nlohmann::json& node, const io::Npz& numbers) {
  if (node.at("t") == "list") {
    std::vector<std::string> wanted;
    for (const auto& one : node.at("v")) wanted.push_back(one.at("v"));
    return found.strings() == wanted ? "" : "other strings";
  }
  if (node.contains("bytes_hex")) {
    const auto list = found.strings();
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto bytes = test::unhex(node.at("bytes_hex")[i].get<std::string>());
      if (list[i] != std::string(bytes.begin(), bytes.end())) return "other bytes";
    }
    return list.size() == node.at("bytes_hex").size() ? "" : "another number of strings";
  }
  const io::NpyArray wanted = numbers.get(node.at("npz").get<std::string>());
  if (!(found.shape() == wanted.shape())) return detail::cat("shape ", found.shape());
  const auto a = found.as<double>(), b = wanted.as<double>();
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return "other numbers";
  return "";
}

TEST_CASE("hdf5: datasets of h5py" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/h5/";
  int equal = 0;
  for (const char* file : {"mfn_X_train.h5", "mfn_y_train.h5", "mfn_audio.h5", "mmin/A/comparE.h5",
                           "mmin/A/comparE_mean_std.h5", "kinds.h5"}) {
    CAPTURE(file);
    const io::Hdf5 h5(folder + file);
    const io::Npz numbers(folder + file + ".expected.npz");
    const std::function<void(const nlohmann::json&, const std::string&)> compare = [&](const nlohmann::json& node,
                                                                                       const std::string& path) {
      CAPTURE(path);
      if (node.at("t") == "dict") {
        for (const auto& pair : node.at("v"))
          compare(pair[1],
                  path.empty() ? pair[0].at("v").get<std::string>() : path + "/" + pair[0].at("v").get<std::string>());
        return;
      }
      CHECK(difference(h5.get(path), node, numbers) == "");
      ++equal;
    };
    compare(read_json(folder + file + ".expected.json").at("tree"), "");
  }
  MESSAGE(equal, " datasets equal");
  CHECK(equal > 15);
  const io::Hdf5 kinds(folder + "kinds.h5");
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("soft"); }), "soft link"));
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("lzf"); }), "filter 32000"));
  CHECK(test::contains(test::message_of<IoError>([&] { kinds.get("nothing"); }), "is missing; the file has"));
  const io::NpyArray some = kinds.rows("chunk_shuffle_gzip", 7, 11), all = kinds.get("chunk_shuffle_gzip");
  CHECK(some.shape() == Shape{4, 6});
  CHECK(std::equal(some.bytes().begin(), some.bytes().end(), all.bytes().begin() + 7 * 24));
}

TEST_CASE("csd: computational sequences" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/csd/";
  int later = 0;
  for (const char* file : {"words.csd", "COVAREP.csd", "FACET.csd", "labels.csd"}) {
    CAPTURE(file);
    const nlohmann::json expected = read_json(folder + file + ".expected.json");
    const io::Npz numbers(folder + file + ".expected.npz");
    const std::string message = test::message_of<IoError>([&] { io::Csd one(folder + file); });
    if (test::contains(message, "a later HDF5")) {
      MESSAGE(std::string(file), " needs a later HDF5 than the one that is installed");
      ++later;
      continue;
    }
    const io::Csd csd(folder + file);
    CHECK(csd.name() == expected.at("root_name"));
    CHECK(csd.keys() == expected.at("key_order").get<std::vector<std::string>>());
    CHECK(csd.metadata().at("creator") == expected.at("metadata").at("creator"));
    for (const auto& pair : expected.at("tree").at("v")) {
      const std::string key = pair[0].at("v");
      CAPTURE(key);
      for (const auto& part : pair[1].at("v")) {
        if (part[0].at("v") == "features") CHECK(difference(csd.features(key), part[1], numbers) == "");
        if (part[0].at("v") != "intervals") continue;
        const auto intervals = csd.intervals(key);
        const auto wanted = numbers.get(part[1].at("npz").get<std::string>()).as<double>();
        REQUIRE(wanted.size() == 2 * intervals.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) CHECK(intervals[i / 2][i % 2] == wanted[i]);
      }
    }
  }
  CHECK(later <= 1);
}

TEST_CASE("hdf5: hostile files are refused with the words asked for" * doctest::skip(!test::have_formats())) {
  const std::string folder = test::formats_dir() + "/hostile/";
  int refused = 0, read = 0;
  const nlohmann::json index = read_json(folder + "INDEX.json");
  for (const auto& entry : index.at("files")) {
    const std::string format = entry.at("format"), file = entry.at("file");
    if (format != "h5" && format != "csd") continue;
    CAPTURE(file);
    const std::string message = test::message_of<Error>([&] {
      if (format == "csd") {
        const io::Csd csd(folder + file);
        for (const std::string& key : csd.keys()) csd.features(key);
      } else {
        const io::Hdf5 h5(folder + file);
        for (const std::string& name : h5.names()) h5.get(name);
      }
    });
    if (entry.at("verdict") == "refuse") CHECK(message != "no error");
    (message == "no error" ? read : refused)++;
    if (message == "no error") continue;
    CHECK(message.find('\n') == std::string::npos);
    for (const auto& word : entry.at("must_mention")) CHECK(test::contains(message, word.get<std::string>()));
  }
  MESSAGE(refused, " refused, ", read, " read");
  CHECK(refused >= 11);
}

TEST_CASE("hdf5: what a file says of its sizes is believed as far as its own length") {
  const std::string folder = std::string(LACUNA_SOURCE_DIR) + "/tests/fuzz/corpus/hdf5/";
  const std::string path = folder + "more_than_the_file.h5";  // 5e10 numbers, "stored" in as many bytes
  const io::Hdf5 file(path);
  REQUIRE(file.names() == std::vector<std::string>{"c"});
  CHECK(test::message_of<IoError>([&] { file.get("c"); }).find("2144 bytes are stored") != std::string::npos);

  const io::Hdf5 fewer(folder + "fewer_bytes_than_shape.h5");
  CHECK(test::message_of<IoError>([&] { fewer.get("c"); }).find("96 bytes are stored") != std::string::npos);
  (void)test::message_of<IoError>([&] { io::Hdf5(folder + "tree_in_a_circle.h5"); });  // it comes back
  // one bit of its rank: the C library takes 24 GB for it
  const io::Hdf5 rank(folder + "chunks_without_rank.h5");
  CHECK(test::message_of<IoError>([&] { rank.get("c"); }).find("chunks of another rank") != std::string::npos);

  const io::Hdf5 attributes(folder + "attrs.h5");
  CHECK(attributes.attribute("y", "MATLAB_class") == "char");
  CHECK(attributes.attribute("x", "MATLAB_class") == "");  // two texts: not one that could be meant
  CHECK(attributes.attribute("x", "other") == "");
}

TEST_CASE("hdf5: chunks, of every filter, with parts that were never written, are what the C library reads") {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "chunks.h5";
  const auto filters = {"", "d", "s", "f", "sd", "sdf", "fd", "fsd", "dsf"};
  const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F64BE, H5T_STD_I16BE, H5T_STD_U8LE};
  const hsize_t shape[] = {7, 4, 3}, chunk[] = {3, 3, 2}, part[] = {4, 4, 3};
  std::vector<double> numbers(84);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = double(i * i % 100);
  {
    const detail::Hdf5Id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    const detail::Hdf5Id space(H5Screate_simple(3, shape, nullptr), H5Sclose);
    const detail::Hdf5Id first(H5Screate_simple(3, part, nullptr), H5Sclose);
    for (const std::string list : filters)
      for (int type = 0; type < 4; ++type)
        for (const bool whole : {true, false}) {
          const detail::Hdf5Id plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
          H5Pset_chunk(plan, 3, chunk);
          for (const char filter : list)
            filter == 'd' ? H5Pset_deflate(plan, 4) : filter == 's' ? H5Pset_shuffle(plan) : H5Pset_fletcher32(plan);
          const double missing = 7;
          if (type % 2 == 0) H5Pset_fill_value(plan, H5T_NATIVE_DOUBLE, &missing);
          const std::string name = "x" + list + std::to_string(type) + (whole ? "w" : "p");
          const detail::Hdf5Id data(H5Dcreate2(file, name.c_str(), types[type], space, H5P_DEFAULT, plan, H5P_DEFAULT),
                                    H5Dclose);
          const detail::Hdf5Id there(H5Dget_space(data), H5Sclose);
          const hsize_t start[] = {0, 0, 0};
          if (!whole) H5Sselect_hyperslab(there, H5S_SELECT_SET, start, nullptr, part, nullptr);
          REQUIRE(H5Dwrite(data, H5T_NATIVE_DOUBLE, whole ? hid_t(space) : hid_t(first), there, H5P_DEFAULT,
                           numbers.data()) >= 0);
        }
  }
  {  // not in chunks and never written: the fill value, or zeros
    const detail::Hdf5Id open(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose);
    const detail::Hdf5Id space(H5Screate_simple(3, shape, nullptr), H5Sclose);
    const detail::Hdf5Id plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    const double missing = 7;
    H5Pset_fill_value(plan, H5T_NATIVE_DOUBLE, &missing);
    H5Dclose(H5Dcreate2(open, "filled", H5T_IEEE_F32BE, space, H5P_DEFAULT, plan, H5P_DEFAULT));
    H5Dclose(H5Dcreate2(open, "zero", H5T_STD_I32BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
  const io::Hdf5 file(path);
  CHECK(file.names().size() == 74);
  CHECK(file.rows("filled", 1, 2).as<double>() == std::vector<double>(12, 7.0));
  const detail::Hdf5Id again(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  for (const std::string& name : file.names()) {
    CAPTURE(name);
    std::vector<double> wanted(84);
    const detail::Hdf5Id data(H5Dopen2(again, name.c_str(), H5P_DEFAULT), H5Dclose);
    H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, wanted.data());
    const auto found = file.get(name);
    CHECK(found.shape() == Shape{7, 4, 3});
    CHECK(found.as<double>() == wanted);
    for (index_t begin = 0; begin <= 7; ++begin)
      for (index_t end = begin; end <= 7; ++end)
        CHECK(file.rows(name, begin, end).as<double>() ==
              std::vector<double>(wanted.begin() + 12 * begin, wanted.begin() + 12 * end));
  }
}

TEST_CASE("hdf5: a chunk of another length or checksum is refused") {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "short.h5";
  {
    const hsize_t shape[] = {8};
    const detail::Hdf5Id file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose);
    const detail::Hdf5Id space(H5Screate_simple(1, shape, nullptr), H5Sclose);
    const std::vector<std::uint8_t> bytes(100, 1);
    for (const int length : {63, 64, 65, 68}) {  // 64 bytes are right
      for (const std::string kind : {"plain", "packed", "summed"}) {
        const detail::Hdf5Id plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
        H5Pset_chunk(plan, 1, shape);
        if (kind == "packed") H5Pset_deflate(plan, 4);
        if (kind == "summed") H5Pset_fletcher32(plan);
        const detail::Hdf5Id data(H5Dcreate2(file, (kind + std::to_string(length)).c_str(), H5T_IEEE_F64LE, space,
                                             H5P_DEFAULT, plan, H5P_DEFAULT),
                                  H5Dclose);
        std::vector<std::uint8_t> stored(bytes.begin(), bytes.begin() + length);
        if (kind == "packed") {
          uLongf size = 200;
          stored.resize(size);
          compress(stored.data(), &size, bytes.data(), uLong(length));
          stored.resize(size);
        }
        const hsize_t origin[] = {0};
        REQUIRE(H5Dwrite_chunk(data, H5P_DEFAULT, 0, origin, stored.size(), stored.data()) >= 0);
      }
    }
  }
  const io::Hdf5 file(path);
  const auto message = [&](const char* name) { return test::message_of<IoError>([&] { file.get(name); }); };
  for (const char* name : {"plain64", "packed64"}) CHECK(message(name) == "no error");
  for (const char* name : {"plain63", "plain65", "plain68", "packed63", "packed65", "packed68"})
    CHECK(message(name) == path + ": '" + name + "' cannot be read; the file is truncated or damaged");
  for (const char* name : {"summed64", "summed68"})
    CHECK(message(name) ==
          path + ": '" + name + "' has a chunk with another checksum than it was written with; the file is damaged");
}

TEST_CASE("hdf5: files cut off and with single bits changed are read or refused" *
          doctest::skip(!test::have_formats())) {
  const test::TemporaryFolder temporary;
  const std::string path = temporary / "damaged.h5";
  index_t read = 0, refused = 0, broken = 0;
  Random random(23);
  // Each in a process of its own: the C library frees what it never wrote where links cannot be read, and what that does hangs on
  // what the memory held before. Inside of its calls that is status 1, anything else that kills a process is ours.
  const auto attempt = [&](const std::vector<std::uint8_t>& bytes) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(signal, SIG_DFL);
      ::close(2);
      io::end_where_hdf5_breaks_down("test");
      try {
        const io::Hdf5 file(path);
        for (const std::string& name : file.names()) (void)file.get(name);
        ::_exit(0);
      } catch (const Error&) {
        ::_exit(2);
      }
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    ++(WEXITSTATUS(status) == 0 ? read : WEXITSTATUS(status) == 2 ? refused : broken);
  };
  for (const char* name : {"h5/mfn_X_train.h5", "h5/mfn_audio.h5", "h5/mfn_y_train.h5", "csd/labels.csd"}) {
    const auto bytes = test::read_bytes(test::formats_dir() + "/" + name);
    for (std::size_t at = 0; at < bytes.size(); at += std::max<std::size_t>(1, bytes.size() / 120)) {
      attempt({bytes.begin(), bytes.begin() + std::ptrdiff_t(at)});
      auto changed = bytes;
      changed[at] ^= std::uint8_t(1u << random.below(8));
      attempt(changed);
    }
  }
  MESSAGE(read, " read, ", refused, " refused, ", broken, " broke the library");
  CHECK(refused > 400);
  CHECK(broken < 10);
}

}  // namespace hdf5_files
#endif
