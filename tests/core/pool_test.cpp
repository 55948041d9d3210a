#include "lacuna/core/pool.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <thread>

#include "lacuna/core/device.hpp"
#include "lacuna/core/list.hpp"

using namespace lacuna;
using detail::BlockPool;

namespace {

/// Takes blocks of a size, writes to all of them, gives them back. False when two overlap.
bool use(std::size_t bytes, int count) {
  List<unsigned char*> blocks;
  for (int i = 0; i < count; ++i) {
    blocks.push_back(static_cast<unsigned char*>(BlockPool::take(bytes)));
    std::memset(blocks.back(), i % 251, bytes);
  }
  bool whole = true;
  for (int i = 0; i < count; ++i) {
    const unsigned char* const block = blocks[std::size_t(i)];
    whole = whole && block[0] == i % 251 && block[bytes / 2] == i % 251 && block[bytes - 1] == i % 251;
    BlockPool::give(blocks[std::size_t(i)], bytes);
  }
  return whole;
}

}  // namespace

TEST_CASE("pool: many blocks at once, of small and large sizes, from several threads") {
  std::vector<std::thread> team;
  std::vector<int> wrong(4);
  for (std::size_t i = 0; i < 4; ++i)
    team.emplace_back([&wrong, i] {
      for (int round = 0; round < 20; ++round)
        for (const std::size_t bytes : {1, 64, 200, 256, 1000, 5000, 70000, 3000000})
          wrong[i] += !use(bytes, bytes > 100000 ? 3 : 100);
    });
  for (auto& member : team) member.join();
  CHECK(wrong == std::vector<int>(4));
}

TEST_CASE("pool: blocks may be given back by another thread than the one that took them") {
  for (int round = 0; round < 50; ++round) {
    List<void*> blocks;
    for (int i = 0; i < 200; ++i) blocks.push_back(BlockPool::take(std::size_t(64 + i)));
    std::thread([&] {
      for (int i = 0; i < 200; ++i) BlockPool::give(blocks[std::size_t(i)], std::size_t(64 + i));
    }).join();
  }
  CHECK(use(128, 250));
}

#ifndef LACUNA_DETAIL_ASAN

TEST_CASE("pool: what an ending thread kept serves the others") {
  Cpu::trim();
  for (const std::size_t bytes : {300, 9000, 400000}) {
    std::thread([&] { use(bytes, 5); }).join();
    const std::size_t before = BlockPool::instance().system_calls();
    CHECK(use(bytes, 5));
    CHECK(BlockPool::instance().system_calls() <= before + 1);  // the list of five blocks
  }
}

TEST_CASE("pool: trim gives back what this thread keeps, and what others keep when they next free a block") {
  use(300, 5);
  Cpu::trim();
  std::size_t before = BlockPool::instance().system_calls();
  use(300, 5);
  CHECK(BlockPool::instance().system_calls() >= before + 5);
  std::thread([] {
    use(300, 5);
    std::thread([] { Cpu::trim(); }).join();
    use(700, 1);
    const std::size_t calls = BlockPool::instance().system_calls();
    use(300, 5);
    CHECK(BlockPool::instance().system_calls() >= calls + 5);
  }).join();
}

TEST_CASE("pool: a thread keeps no more than its share") {
  Cpu::trim();
  std::thread([] {
    use(300, 1000);
    const std::size_t before = BlockPool::instance().system_calls();
    std::thread([] { CHECK(use(300, 900)); }).join();            // served by what the first thread could not keep
    CHECK(BlockPool::instance().system_calls() < before + 100);  // the list of 900 blocks, and what was kept
  }).join();
}

#endif

TEST_CASE("list: short lists need no memory of their own, longer ones move") {
  detail::ShortList<std::vector<int>, 2> list;
  CHECK(list.empty());
  for (int i = 0; i < 9; ++i) list.push_back(std::vector<int>(3, i));
  CHECK(list.size() == 9);
  for (int i = 0; i < 9; ++i) CHECK(list[std::size_t(i)] == std::vector<int>(3, i));
  int count = 0;
  for (const auto& one : list) count += one[0];
  CHECK(count == 36);
  list.clear();
  CHECK(list.empty());
  list.push_back({7});
  CHECK(list[0][0] == 7);
}
