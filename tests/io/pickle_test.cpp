// Small pickles written out by hand: each says in the comment what Python would make of it.
#include <doctest/doctest.h>

#include "io/allocation_meter.hpp"
#include "io/pickles.hpp"
#include "io/temporary.hpp"
#include "lacuna/io/value_print.hpp"

using namespace lacuna;
using namespace std::string_literals;

namespace {

io::Value unpickle(const std::string& text) { return io::load_pickle(test::in_memory("x.pkl", text)); }
std::string pickle_error(const std::string& text) {
  return test::message_of<IoError>([&] { unpickle(text); });
}
bool refuses(const std::string& text, const std::string& words) { return test::contains(pickle_error(text), words); }

}  // namespace

TEST_CASE("pickle: numbers of all protocols") {
  CHECK(unpickle("N.").is_none());
  CHECK(unpickle("\x80\x02\x88.").boolean());
  CHECK(!unpickle("I00\n.").boolean());
  CHECK(unpickle("I-12\n.").integer() == -12);
  CHECK(unpickle("L123456789012L\n.").integer() == 123456789012);
  CHECK(unpickle("K\xff.").integer() == 255);
  CHECK(unpickle("M\xff\xff.").integer() == 65535);
  CHECK(unpickle("J\xff\xff\xff\xff.").integer() == -1);
  CHECK(unpickle("\x8a\x00."s).integer() == 0);
  CHECK(unpickle("\x8a\x02\x00\xff."s).integer() == -256);
  CHECK(unpickle("\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s).integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(unpickle("F1.5\n.").real() == 1.5);
  CHECK(std::isinf(unpickle("F-inf\n.").real()));
  CHECK(unpickle("G\x3f\xf8\x00\x00\x00\x00\x00\x00."s).real() == 1.5);
  CHECK(unpickle("K\x07.").real() == 7);
  CHECK(refuses("Fnan(1)\n.", "nan(1)"));
}

TEST_CASE("pickle: ints beyond 64 bits keep their digits") {
  const io::Value power = unpickle("\x8a\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01."s);  // 2**72
  CHECK(power.integer_text() == "4722366482869645213696");
  CHECK(test::contains(test::message_of<IoError>([&] { power.integer(); }), "64 bits"));
  CHECK(unpickle("\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\xfe."s).integer_text() == "-18446744073709551617");
  CHECK(unpickle("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00."s).integer_text() == "9223372036854775808");
  CHECK(unpickle("\x8a\x09\x05\x00\x00\x00\x00\x00\x00\x00\x00."s).integer() == 5);
  CHECK(unpickle("I-00099999999999999999999\n.").integer_text() == "-99999999999999999999");
  CHECK(refuses("I" + std::string(5000, '9') + "\n.", "4300 digits"));
}

TEST_CASE("pickle: strings and bytes") {
  CHECK(unpickle("X\x03\x00\x00\x00\xc3\xbc!."s).text() == "\xc3\xbc!");
  CHECK(unpickle("V\\u00fc\\U0001f600\xe9\n.").text() == "\xc3\xbc\xf0\x9f\x98\x80\xc3\xa9");
  CHECK(unpickle("X\x03\x00\x00\x00\xed\xa0\x80."s).bytes() == "\xed\xa0\x80");  // a lone surrogate
  CHECK(refuses("X\x02\x00\x00\x00\xc3\x28."s, "UTF-8"));
  CHECK(refuses("X\x02\x00\x00\x00\xc0\x80."s, "UTF-8"));
  const io::Value old = unpickle("S'it\\'s \\x92'\n.");  // Python 2
  CHECK(old.kind() == io::ValueKind::text8);
  CHECK(old.bytes() == "it's \x92");
  CHECK(old.text() == "it's \xc2\x92");
  CHECK(unpickle("U\x02\xc3\xbc.").text() == "\xc3\xbc");
  CHECK(unpickle("C\x02\x00\x01."s).bytes() == "\x00\x01"s);
  CHECK(unpickle("c_codecs\nencode\n(V\\u00e9a\nVlatin1\ntR.").bytes() ==
        "\xe9"
        "a");
  CHECK(unpickle("c__builtin__\nbytearray\n(c_codecs\nencode\n(Va\nVlatin1\ntRtR.").kind() ==
        io::ValueKind::byte_array);
}

TEST_CASE("pickle: containers, shared values, and the path to each") {
  // {'train': {'text': [1, (2, 3)], 'a/b': None}, 5: {'x'}}
  const io::Value data = unpickle(
      "\x80\x04}(\x8c\x05train}(\x8c\x04text](K\x01K\x02K\x03\x86\x65\x8c\x03"
      "a/bNuK\x05\x8f(\x8c\x01x\x90u.");
  CHECK(data.size() == 2);
  CHECK(data.find("train/text[1][0]").integer() == 2);
  CHECK(data.find("train/text")[1].where() == "x.pkl: at train/text[1]");
  CHECK(data.find("train/a/b").is_none());
  CHECK(data.find("[5]")[0].text() == "x");
  CHECK(data.find("/train").same_as(data.at("train")));
  CHECK(data.key(1).integer() == 5);
  CHECK(!data.get("valid"));
  const auto message = [&](auto&& action) { return test::message_of<IoError>(action); };
  CHECK(message([&] { data.find("train/audio"); }) == "x.pkl: at train has no 'audio'; it has text, a/b");
  CHECK(message([&] { data.find("train/text[7]"); }) == "x.pkl: at train/text has 2 items, number 7 is asked for");
  CHECK(message([&] { data.find("train/text/x"); }) == "x.pkl: at train/text is a list of 2, expected a dict with 'x'");
  CHECK(message([&] { data.find("train/text[-1]"); }) == "x.pkl: at train/text has no item -1");
  CHECK(message([&] { data.at("train").array(); }) == "x.pkl: at train is a dict of 2, expected an array");
  CHECK(io::to_text(data) ==
        "a dict of 2\n  'train': a dict of 2\n    'text': a list of 2\n      [0] 1\n      [1] a tuple of 2\n        "
        "[0] 2\n"
        "        [1] 3\n    'a/b': None\n  5: a set of 1\n    [0] 'x'\n");

  const io::Value shared = unpickle(
      "(]q\x00(K\x01"
      "eh\x00t."s);  // x = [1]; (x, x)
  CHECK(shared[0].same_as(shared[1]));
  CHECK(unpickle("ccollections\nOrderedDict\n)R(K\x01K\x02u.").kind() == io::ValueKind::ordered_dict);
  for (const char* factory : {"__builtin__\nint", "__builtin__\nlong", "__builtin__\nunicode", "builtins\nset"})
    CHECK(unpickle("ccollections\ndefaultdict\nc"s + factory + "\n\x85R.").size() == 0);
  CHECK(unpickle("c__builtin__\nset\n(lK\x01"
                 "a\x85R.")
            .size() == 1);
}

TEST_CASE("pickle: of equal keys the last value wins, in the place of the first") {
  // {1: 'a', 'k': 'b', True: 'c', 1.0: 'd'} -> {1: 'd', 'k': 'b'}
  const io::Value data = unpickle(
      "}(K\x01\x8c\x01"
      "a\x8c\x01k\x8c\x01"
      "b\x88\x8c\x01"
      "cG\x3f\xf0\x00\x00\x00\x00\x00\x00\x8c\x01"
      "du."s);
  CHECK(data.size() == 2);
  CHECK(data.value(0).text() == "d");
  CHECK(data.at("k").text() == "b");
  CHECK(unpickle("\x8f(K\x01\x88K\x02\x90.").size() == 2);
  CHECK(unpickle("}(K\x01K\x02\x86K\x01K\x01K\x02\x86K\x05u.").value(0).integer() == 5);  // {(1, 2): 1, (1, 2): 5}
  CHECK(refuses("}(]K\x01u.", "a list as a key"));
}

TEST_CASE("pickle: a large dict finds its keys") {
  std::string text = "}(";
  for (int i = 0; i < 1000; ++i) text += "V" + std::to_string(i) + "\nI" + std::to_string(7 * i) + "\n";
  const io::Value data = unpickle(text + "u.");
  for (int i = 0; i < 1000; ++i) CHECK(data.at(std::to_string(i)).integer() == 7 * i);
  CHECK(!data.get("1000"));
}

TEST_CASE("pickle: arrays of NumPy") {
  const std::vector<float> six = {1, 2, 3, 4, 5, 6};
  const std::string raw(reinterpret_cast<const char*>(six.data()), 24);
  CHECK(unpickle(test::pickled_array("f4", "<", {2, 3}, raw) + ".").tensor<float, 2>().data()[4] == 5);
  const io::Value columns = unpickle(test::pickled_array("f4", "<", {2, 3}, raw, true) + ".");
  CHECK(columns.array().as<float>() == std::vector<float>{1, 3, 5, 2, 4, 6});
  CHECK(columns.describe() == "an array <f4 (2, 3)");
  CHECK(unpickle(test::pickled_array("i2", ">", {2}, "\x01\x00\x00\x02"s) + ".").array().as<int>() ==
        std::vector<int>{256, 2});
  CHECK(unpickle(test::pickled_array("S3", "|", {2}, "ab\0cde"s, false, 3) + ".").array().strings() ==
        std::vector<std::string>{"ab", "cde"});
  CHECK(unpickle(test::pickled_array("f4", "<", {0, 5}, "") + ".").size() == 0);
  CHECK(refuses(test::pickled_array("f4", "<", {2, 2}, raw) + ".", "24 bytes"));
  CHECK(refuses(test::pickled_array("V4", "|", {6}, raw) + ".", "V4"));
  CHECK(refuses(test::pickled_array("f4", "?", {6}, raw) + ".", "byte order '?'"));
  CHECK(refuses(test::pickled_array("O8", "|", {3}, raw) + ".", "pointers"));

  // _frombuffer of NumPy 2: reshape(shape).transpose(axes)
  const std::string buffer = "cnumpy._core.numeric\n_frombuffer\n(C\x18" + raw + test::pickled_dtype("f4", "<");
  const io::Value exchanged = unpickle(buffer + "K\x02K\x03\x86VK\nK\x01K\x00\x86tR."s);
  CHECK(exchanged.shape() == Shape{3, 2});
  CHECK(exchanged.array().as<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  const io::Value turned = unpickle(buffer + "K\x02K\x03K\x01\x87VK\nK\x01K\x02K\x00\x87tR."s);
  CHECK(turned.shape() == Shape{3, 1, 2});
  CHECK(turned.array().as<float>() == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(refuses(buffer + "K\x02K\x03\x86VK\nK\x01K\x01\x86tR.", "axis 1"));
  CHECK(refuses(buffer + "K\x02K\x03\x86VZ\ntR.", "order 'Z'"));

  const std::string one =
      "cnumpy.core.multiarray\nscalar\n" + test::pickled_dtype("f4", "<") + "C\x04\x00\x00\x20\x40\x86R"s;
  CHECK(unpickle(one + ".").real() == 2.5);
  CHECK(unpickle(one + ".").dtype() == "<f4");
  const std::string objects = test::pickled_array("O8", "|", {2}, "", false, -1,
                                                  "](NK\x05"
                                                  "e");
  CHECK(unpickle(objects + ".")[1].integer() == 5);
  CHECK(unpickle(objects + ".").find("[1]").integer() == 5);
  // numpy.asfortranarray of [[0, 1, 2], [3, 4, 5]] as objects: its list is in C order all the same
  const io::Value walked =
      unpickle(test::pickled_array("O8", "|", {2, 3}, "", true, -1, "](K\0K\1K\2K\3K\4K\5e"s) + ".");
  for (std::size_t i = 0; i < 6; ++i) CHECK(walked[i].integer() == std::int64_t(i));
}

TEST_CASE("pickle: programs are refused by name, and nothing runs") {
  const test::TemporaryFolder folder;
  const std::string command = "V touch " + folder.path() + "/ran\n";
  CHECK(refuses("cos\nsystem\n(" + command + "tR.", "os.system"));
  CHECK(refuses("cbuiltins\neval\n(V1\ntR.", "builtins.eval"));
  CHECK(
      refuses("\x80\x04\x8c\x08"
              "builtins\x8c\x07getattr\x93.",
              "builtins.getattr"));
  CHECK(refuses("\x80\x04\x8c\x05numpy\x8c\x10"
                "f2py.os.path.join\x93.",
                "truncated") == false);
  CHECK(
      refuses("\x80\x04\x8c\x05numpy\x8c\x0e"
              "f2py.os.system\x93.",
              "numpy.f2py.os.system"));
  CHECK(refuses("(ios\nsystem\n.", "os.system"));
  CHECK(refuses("cpandas\nDataFrame\n.", "to_csv"));
  CHECK(refuses("cnumpy\nload\n.", "numpy.load"));
  CHECK(refuses("cnumpy\nndarray\n(K\x05tR.", "numpy.ndarray"));
  CHECK(refuses("c_codecs\nencode\n(Va\nVrot13\ntR.", "rot13"));
  CHECK(refuses("ccollections\ndefaultdict\nc__main__\nf\n\x85R.", "__main__.f, for collections.defaultdict"));
  CHECK(refuses("c__builtin__\nint\n.", "a class"));
  CHECK(refuses("}}b.", "BUILD"));
  CHECK(refuses("\x82\x01.", "EXT"));
  CHECK(refuses("Pid\n.", "persistent"));
  CHECK(refuses("K\x01Q.", "persistent"));
  CHECK(refuses("\x97.", "buffer"));
  CHECK(folder.count() == 0);
}

TEST_CASE("pickle: cycles, depth and repetition are bounded") {
  CHECK(
      refuses("]q\x00h\x00"
              "a."s,
              "cycle"));
  CHECK(refuses("}q\x00K\x01h\x00s."s, "cycle"));
  CHECK(refuses(std::string(100000, ']') + std::string(99999, 'a') + ".", "too deep"));
  std::string deep = "N";
  for (int i = 0; i < 100000; ++i) deep += '\x85';
  CHECK(refuses(deep + ".", "too deep"));
  CHECK(unpickle(std::string(257, ']') + std::string(256, 'a') + ".").size() == 1);

  std::string laughs = "]q\x00"s;  // forty levels, each ten times the one below
  for (char level = 1; level < 40; ++level) {
    laughs += "0]q"s + level + "(";
    for (int i = 0; i < 10; ++i) laughs += "h"s + char(level - 1);
    laughs += "e";
  }
  const io::Value value = unpickle(laughs + ".");
  CHECK(value.size() == 10);
  CHECK(io::to_text(value).size() < 20000);
  std::string key = "N\x94";  // the same as a key: tuples of tuples, 2^60 leaves
  for (int i = 0; i < 60; ++i) key += "2\x86\x94";
  CHECK(unpickle("}" + key + "K\x01s.").size() == 1);
  // One list of 10000, made a set 10000 times over.
  std::string sets = "]q\x00("s + std::string(10000, 'N') + "e(";
  for (int i = 0; i < 10000; ++i) sets += "c__builtin__\nset\nh\x00\x85R"s;
  CHECK(refuses(sets + "l\x86.", "copies one value"));
  const test::AllocationMeter meter(std::size_t(1) << 20);
  CHECK(unpickle("Nr\xff\xff\xff\xff.").is_none());
  CHECK(
      refuses("B\xff\xff\xff\xff"
              "abc.",
              "truncated"));
  CHECK(
      refuses("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
              "abc.",
              "truncated"));
}

TEST_CASE("pickle: what is no pickle, or is damaged, is told apart") {
  CHECK(refuses("", "empty"));
  CHECK(refuses(std::string(100, '\0'), "zero bytes"));
  CHECK(refuses("version https://git-lfs.github.com/spec/v1\n", "LFS"));
  CHECK(refuses("\n<!DOCTYPE html>", "HTML"));
  CHECK(refuses("\x1f\x8b\x08", "gzip"));
  CHECK(refuses("PK\x03\x04", "zip"));
  CHECK(refuses("(dp0\r\nVa\r\n", "line ending"));
  CHECK(refuses("\x80\x06N.", "protocol 6"));
  CHECK(refuses("\xff.", "0xff"));
  CHECK(refuses("0.", "empty stack"));
  CHECK(refuses("K\x01h\x07.", "entry 7"));
  CHECK(refuses("N.N.", "2 bytes follow"));
  CHECK(io::open_pickle(test::in_memory("x.pkl", "N.N.")).bytes_behind == 2);
  CHECK(pickle_error("\x80\x02](K\x01").find("x.pkl: pickle, byte 6: needs 1 bytes where 0 are left") == 0);
}
