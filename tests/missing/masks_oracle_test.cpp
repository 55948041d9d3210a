/// NumPy's generator and the masks of TFR-Net and LNLN against masks.npz: every array, bit for bit.
#include <doctest/doctest.h>

#include <cstdio>
#include <set>

#include "lacuna/io/npz.hpp"
#include "lacuna/missing/protocol.hpp"
#include "lacuna/missing/sampling.hpp"
#include "support/paths.hpp"

using namespace lacuna;

TEST_CASE("masks.npz: generator and masks are equal" * doctest::skip(!test::have_oracle())) {
  const io::Npz file(test::oracle_dir() + "/masks.npz");
  std::set<std::string> left(file.names().begin(), file.names().end());
  const auto seen = [&](const std::string& name) {
    CHECK_MESSAGE(left.erase(name) == 1, name);
    return file.get(name);
  };
  const auto rates = seen("rates").as<double>();
  for (std::size_t k = 0; k < rates.size(); ++k) CHECK(rates[k] == double(k) / 10);
  const auto cases = seen("index").strings();
  CHECK(!cases.empty());
  for (const std::string& name : cases) {
    CAPTURE(name);
    const auto seed = seen(name + "/seed").scalar<std::uint32_t>();
    missing::Mt19937 words(seed), uniforms(seed), ranges(seed);
    for (const auto expected : seen(name + "/word").as<std::uint64_t>()) CHECK(words.word() == expected);
    for (const auto expected : seen(name + "/uniform").as<double>()) CHECK(uniforms.uniform() == expected);
    for (const auto expected : seen(name + "/uniform_low_high").as<double>())
      CHECK(ranges.uniform(-2.5, 4.0) == expected);
    const std::vector<std::string> streams{"text", "audio", "vision"};
    std::vector<Mask<2>> valids;
    std::vector<std::string> ids;
    for (const std::string& stream : streams) {
      CAPTURE(stream);
      const std::string at = name + "/" + stream + "/";
      const auto valid = seen(at + "valid").tensor<std::uint8_t, 2>();
      const auto length = seen(at + "length").as<index_t>();
      const auto keep = seen(at + "keep").tensor<std::uint8_t, 3>();
      for (index_t n = 0; n < valid.extent(0); ++n)
        for (index_t t = 0; t < valid.extent(1); ++t) REQUIRE(bool(valid(n, t)) == (t < length[std::size_t(n)]));
      const bool text = stream == "text";
      REQUIRE(keep.extent(0) == index_t(rates.size()));
      for (std::size_t k = 0; k < rates.size(); ++k) {
        const double one[] = {rates[k]};
        const auto found = missing::numpy_keep(seed, one, valid, text);
        CHECK(std::equal(found.data(), found.data() + found.size(), keep.data() + index_t(k) * found.size()));
        if (k == 5 && text) {
          const auto masked = missing::replace_erased(seen(at + "ids").tensor<index_t, 2>(), valid, found);
          CHECK(masked.to_vector() == seen(at + "ids_masked_rate5").as<index_t>());
        }
      }
      const auto per_sample = missing::numpy_keep(seed, seen(at + "rate_per_sample").as<double>(), valid, text);
      CHECK(per_sample.to_vector() == seen(at + "keep_per_sample").as<std::uint8_t>());
      valids.push_back(valid);
      ids.clear();
      for (index_t n = 0; n < valid.extent(0); ++n) ids.push_back("s" + std::to_string(n));
    }
    // the protocol draws the same
    const auto protocol = missing::protocol_p3(seed, 3, 0);
    REQUIRE(protocol.conditions.size() == 10);
    for (std::size_t k = 0; k < 10; ++k) {
      const auto set = missing::sample_masks(protocol.conditions[k], ids, streams, valids);
      for (std::size_t m = 0; m < 3; ++m) {
        const auto keep = file.tensor<std::uint8_t, 3>(name + "/" + streams[m] + "/keep");
        CHECK(std::equal(set.keep[m].data(), set.keep[m].data() + set.keep[m].size(),
                         keep.data() + index_t(k) * set.keep[m].size()));
      }
    }
  }
  for (const std::string& name : left) CHECK_MESSAGE(false, name << " is compared by no test");
  std::printf("masks.npz: %zu arrays equal\n", file.names().size() - left.size());
}
