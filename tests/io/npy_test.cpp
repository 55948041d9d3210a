#include "lacuna/io/npy.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <concepts>
#include <limits>

#include "io/numpy_files.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/npy_writer.hpp"

using namespace lacuna;
using io::NpyArray;
using test::contains;

namespace {

NpyArray load(std::vector<std::uint8_t> bytes) { return io::load_npy(io::ByteSource("x.npy", std::move(bytes))); }
NpyArray load(std::string_view digits) { return load(test::unhex(digits)); }

/// A version 1 file with any header text.
std::vector<std::uint8_t> npy(const std::string& text, const std::vector<std::uint8_t>& elements) {
  std::vector<std::uint8_t> bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  bytes.push_back(std::uint8_t(text.size() & 255));
  bytes.push_back(std::uint8_t(text.size() >> 8));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), elements.begin(), elements.end());
  return bytes;
}
std::vector<std::uint8_t> npy(const std::string& dtype, const std::string& shape, std::size_t bytes) {
  return npy("{'descr': '" + dtype + "', 'fortran_order': False, 'shape': " + shape + "}",
             std::vector<std::uint8_t>(bytes));
}
template <std::invocable Action>
std::string error(Action&& action) {
  const std::string message = test::message_of<IoError>(action);
  CHECK(!contains(message, "\n"));
  CHECK((message == "no error" || contains(message, "x.npy: array")));
  return message;
}
std::string error(const std::vector<std::uint8_t>& bytes) {
  return error([&] { load(bytes); });
}

/// An array of one type and its numbers, through a file image.
template <class T>
NpyArray array_of(const std::vector<T>& numbers) {
  const std::string header = io::npy_header(io::npy_dtype<T>(), Shape{index_t(numbers.size())});
  std::vector<std::uint8_t> bytes(header.begin(), header.end());
  const auto* first = reinterpret_cast<const std::uint8_t*>(numbers.data());
  bytes.insert(bytes.end(), first, first + numbers.size() * sizeof(T));
  return load(std::move(bytes));
}

}  // namespace

TEST_CASE("npy: files written by NumPy") {
  SUBCASE("the other byte order and Fortran order become native and C") {
    const NpyArray x = load(test::numpy::double_big_endian_fortran);
    CHECK(x.dtype() == ">f8");
    CHECK(x.shape() == Shape{2, 3});
    CHECK(x.as<double>() == std::vector<double>{1, 2, 3, 4, 5, 6});
    const auto tensor = x.tensor<float, 2>();
    CHECK(tensor(0, 2) == 3);
    CHECK(tensor(1, 0) == 4);
  }
  SUBCASE("half precision is exact") {
    const auto x = load(test::numpy::half_specials).as<float>();
    const float infinity = std::numeric_limits<float>::infinity();
    const std::vector<float> expected = {0, -0.f, 1, -2, 65504, 0x1p-24f, 0x1p-14f, infinity, -infinity};
    REQUIRE(x.size() == 10);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(x[i] == expected[i]);
    CHECK(std::signbit(x[1]));
    CHECK(std::isnan(x[9]));
  }
  SUBCASE("text becomes UTF-8, bytes stay bytes") {
    const NpyArray text = load(test::numpy::text);
    CHECK(text.shape() == Shape{2, 2});
    CHECK(text.strings() == std::vector<std::string>{"a", "gr\xC3\xBC\xC3\x9F", "", "\xF0\x9F\x98\x80"});
    CHECK(load(test::numpy::text_big_endian).strings() == std::vector<std::string>{"a\xE4\xB8\xAD"});
    CHECK(load(test::numpy::bytes_).strings() == std::vector<std::string>{"ab", "", std::string("a\0b", 3)});
  }
  SUBCASE("booleans, versions 2 and 3, a scalar") {
    CHECK(load(test::numpy::boolean).as<std::uint8_t>() == std::vector<std::uint8_t>{1, 0});
    CHECK(load(test::numpy::version_2).as<index_t>() == std::vector<index_t>{0, 1, 2});
    CHECK(load(test::numpy::version_3).as<double>() == std::vector<double>{0, 1, 2});
    const NpyArray scalar = load(test::numpy::scalar);
    CHECK(scalar.shape() == Shape{});
    CHECK(scalar.scalar<double>() == -2.5);
    CHECK(scalar.tensor<double, 0>()() == -2.5);
  }
  SUBCASE("what can run code or has no numbers is refused in words") {
    CHECK(contains(error(test::unhex(test::numpy::pickled)), "pickled Python objects"));
    CHECK(contains(error(test::unhex(test::numpy::structured)), "structured type"));
    CHECK(contains(error(test::unhex(test::numpy::complex_)), "type <c16, which is not read"));
  }
}

TEST_CASE("npy: every half is the float it stands for") {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float found = io::half_to_float(std::uint16_t(bits));
    const int exponent = int(bits >> 10 & 31), fraction = int(bits & 1023);
    if (exponent == 31) {
      REQUIRE((fraction ? std::isnan(found) : std::isinf(found)));
    } else {
      const double magnitude = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
      REQUIRE(double(found) == (bits & 0x8000 ? -magnitude : magnitude));
    }
    REQUIRE(std::signbit(found) == bool(bits & 0x8000));
  }
}

TEST_CASE("npy: numbers convert exactly or not at all") {
  CHECK(array_of<double>({1.1}).as<float>() == std::vector<float>{1.1f});  // rounds to nearest: the one loss allowed
  CHECK(array_of<std::int64_t>({-1, 1 << 24}).as<float>() == std::vector<float>{-1, 1 << 24});
  CHECK(array_of<std::uint64_t>({0, 255}).as<std::uint8_t>() == std::vector<std::uint8_t>{0, 255});
  CHECK(array_of<std::int8_t>({-128, 127}).as<double>() == std::vector<double>{-128, 127});

  const std::int64_t low = std::numeric_limits<std::int64_t>::min();
  CHECK(contains(error([] { array_of<double>({1}).as<int>(); }), "type <f8, expected integers"));
  CHECK(contains(error([] { array_of<double>({0, 1e300}).as<float>(); }), "element 1"));
  CHECK(contains(error([] { array_of<std::int64_t>({(1 << 24) + 1}).as<float>(); }), "which float cannot hold"));
  CHECK(contains(error([&] { array_of<std::int64_t>({low}).as<double>(); }), "which double cannot hold"));
  CHECK(contains(error([] { array_of<std::uint64_t>({~0ull}).as<std::int64_t>(); }), "a signed integer of 64 bits"));
  CHECK(contains(error([] { array_of<std::int32_t>({256}).as<std::uint8_t>(); }), "element 0 is 256"));
  CHECK(contains(error([] { array_of<std::int32_t>({-1}).as<std::uint64_t>(); }), "element 0 is -1"));
  CHECK(std::isinf(array_of<double>({HUGE_VAL}).as<float>()[0]));
  CHECK(std::isnan(array_of<double>({NAN}).as<float>()[0]));

  CHECK(contains(error([] { array_of<float>({1, 2}).scalar<float>(); }), "shape (2), expected a single number"));
  CHECK(array_of<float>({3}).scalar<double>() == 3);
  CHECK(contains(error([] { array_of<float>({1, 2}).tensor<float, 2>(); }), "has shape (2), expected 2 axes"));
  CHECK(contains(error([] { array_of<float>({1}).strings(); }), "expected strings"));
  CHECK(contains(error([] { load(test::numpy::text).as<float>(); }), "expected numbers"));
}

TEST_CASE("npy: headers that are unusual but right") {
  const std::vector<std::uint8_t> four(4);
  for (const char* text : {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }   \n",
                           "{\"shape\":(1L,),\"fortran_order\":True,\"descr\":\"<f4\"}",
                           "{'descr':'=f4','fortran_order':False,'shape':(1,1,1)}"})
    CHECK(load(npy(text, four)).size() == 1);
  CHECK(load(npy("<f4", "(0, 5)", 0)).tensor<float, 2>().size() == 0);
  CHECK(load(npy("<f4", "(9223372036854775807, 0)", 0)).size() == 0);
  CHECK(load(npy("<U0", "(0,)", 0)).strings().empty());
  CHECK(load(npy("<U2", "(3, 0)", 0)).strings().empty());
  CHECK(load(npy("<f4", "(1,1,1,1,1,1,1,1)", 4)).rank() == 8);
}

TEST_CASE("npy: hostile headers") {
  CHECK(contains(error(std::vector<std::uint8_t>{}), "too few"));
  CHECK(contains(error(std::vector<std::uint8_t>(200)), "does not start as a .npy file"));
  CHECK(contains(error(npy("<f4", "(2,)", 4)), "has 4 bytes of elements, expected shape (2) of 4 bytes each"));
  CHECK(contains(error(npy("<f4", "(2,)", 12)), "has 12 bytes of elements"));
  CHECK(contains(error(npy("<f4", "(0,)", 4)), "has 4 bytes of elements"));
  CHECK(contains(error(npy("<f4", "(4294967296, 4294967296)", 0)), "overflows"));
  CHECK(contains(error(npy("<f4", "(4611686018427387904,)", 0)), "bytes of elements"));  // times 4 is 0 in 64 bits
  CHECK(contains(error(npy("<f4", "(99999999999999999999,)", 0)), "above 64 bits"));
  CHECK(contains(error(npy("|S0", "(1000000000000,)", 0)), "whose elements have no bytes"));
  CHECK(contains(error(npy("|S99999999999999", "(1,)", 3)), "bytes of elements"));
  CHECK(contains(error(npy("<f4", "(1,1,1,1,1,1,1,1,1)", 4)), "more than 8 axes"));
  CHECK(contains(error(npy("<f4", "(-1,)", 4)), "no axis length"));
  CHECK(contains(error(npy("<f4", "(1)", 4)), "in place of a tuple"));
  CHECK(contains(error(npy("<f4", "(1 1)", 4)), "no ','"));
  CHECK(contains(error(npy("<f4", "(1,", 4)), "damaged .npy header"));
  CHECK(contains(error(npy("<f4", "[1]", 4)), "no '('"));
  for (const char* dtype : {"", "f4", "<f", "<f16", "<f1", "<i3", "<b2", "<M8[ns]", "|V4", "?f4", "|i4", "|U4",
                            "<f4<f4", "<c8", "<u99999999999999999999"})
    CHECK_MESSAGE(contains(error(npy(dtype, "(1,)", 4)), "which is not read"), dtype);
  CHECK(contains(error(npy("O", "(1,)", 8)), "pickled"));

  for (const char* text :
       {"", "{", "{}", "{'descr': '<f4'}", "'descr'", "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
        "{'descr': '<f4", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}"})
    CHECK_MESSAGE(contains(error(npy(text, std::vector<std::uint8_t>(4))), "damaged .npy header"), text);

  auto bytes = test::unhex(test::numpy::version_2);
  bytes[11] = 0x7F;  // a header of 2 GB
  CHECK(contains(error(bytes), "claims a header of"));
  bytes = test::unhex(test::numpy::scalar);
  bytes[6] = 4;
  CHECK(contains(error(bytes), "version 4.0"));
  bytes[6] = 1;
  bytes[7] = 1;
  CHECK(contains(error(bytes), "version 1.1"));

  auto wrong = npy("<U1", "(1,)", 4);
  wrong[wrong.size() - 2] = 0x11;  // code point 0x110000
  CHECK(contains(error([&] { load(wrong).strings(); }), "which is no character"));
  wrong[wrong.size() - 2] = 0;
  wrong[wrong.size() - 3] = 0xD8;  // a lone surrogate
  CHECK(contains(error([&] { load(wrong).strings(); }), "which is no character"));
}

TEST_CASE("npy: every truncation of every file is refused") {
  for (const std::string_view digits :
       {test::numpy::double_big_endian_fortran, test::numpy::text, test::numpy::version_3, test::numpy::scalar}) {
    const auto whole = test::unhex(digits);
    for (std::size_t length = 0; length < whole.size(); ++length)
      REQUIRE(error(std::vector<std::uint8_t>(whole.begin(), whole.begin() + std::ptrdiff_t(length))) != "no error");
  }
}

TEST_CASE("npy: Fortran order of three axes") {
  // Element (i, j, k) of shape (2, 3, 2) holds 100 i + 10 j + k and lies at i + 2 j + 6 k.
  std::vector<std::uint8_t> elements(12);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) elements[std::size_t(i + 2 * j + 6 * k)] = std::uint8_t(100 * i + 10 * j + k);
  const auto x =
      load(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2)}", elements)).tensor<std::uint8_t, 3>();
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 2; ++k) CHECK(int(x(i, j, k)) == 100 * i + 10 * j + k);
}

TEST_CASE("npy: a file written is the file NumPy writes") {
  const test::TemporaryFolder folder;
  io::save_npy(folder / "x.npy", Tensor<double, 0>::from({}, {-2.5}));
  CHECK(test::read_bytes(folder / "x.npy") == test::unhex(test::numpy::scalar));
  io::save_npy(folder / "y.npy", Tensor<float, 2>::from({2, 2}, {1, 2, 3, 4}));
  CHECK(io::load_npy(folder / "y.npy").tensor<float, 2>().to_vector() == std::vector<float>{1, 2, 3, 4});
  CHECK(contains(test::message_of<IoError>([&] { io::load_npy(folder / "none.npy"); }), "cannot be opened"));
  CHECK(contains(test::message_of<IoError>([&] { io::load_npy(folder.path()); }), "is not a regular file"));
}
