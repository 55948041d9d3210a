// What a training step on a GPU holds at its fullest moment, counted on the host and without doing the work: kernels are
// named, not run, so that the real sizes cost nothing. What it cannot know is the workspace of cuBLASLt's products.
//
//   g++ -std=c++20 -O1 -fopenmp -I include -I tests -I . -isystem /usr/include/eigen3 benchmarks/memory_account.cpp -o
//   memory_account ./memory_account corrkd-step
//
// Per kernel: the bytes of what was asked for just before it was launched first, in MB of 2^20.
#include "cuda/counting.hpp"

#include <cstdio>
#include <cstring>

#include "support/problems.hpp"

namespace {

using lacuna::test::Account;
using lacuna::test::Counting;
using Pool = lacuna::test::CountedPool;

constexpr double mb = 1.0 / (1 << 20);

/// What stands at the fullest moment of a step, most first.
void print_fullest(Account& account, const std::vector<Account::Block>& before) {
  std::map<std::string, std::pair<std::size_t, int>> by_name;
  for (const Account::Block& block : account.stopped) {
    auto& [bytes, count] = by_name[block.name == nullptr ? "(being asked for)" : block.name];
    bytes += block.bytes, ++count;
  }
  std::vector<std::tuple<std::size_t, int, std::string>> list;
  for (const auto& [name, sum] : by_name) list.emplace_back(sum.first, sum.second, name);
  std::sort(list.rbegin(), list.rend());
  for (const auto& [bytes, count, name] : list)
    if (bytes > 100000) std::printf("  %8.2f  in %4d  %s\n", mb * double(bytes), count, name.c_str());
  if (std::getenv("LACUNA_BLOCKS") == nullptr) return;
  std::size_t rest = 0;
  for (const Account::Block& block : account.stopped)
    if (block.bytes < 200000) rest += block.bytes;
  std::sort(account.stopped.begin(), account.stopped.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  for (const Account::Block& block : account.stopped)
    if (block.bytes >= 200000)
      std::printf("    %6ld %8.2f %s\n", block.number, mb * double(block.bytes), block.name ? block.name : "?");
  std::printf("    smaller ones %.2f\n", mb * double(rest));
  (void)before;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: %s WORKLOAD\n", argv[0]), 2;
  lacuna::test::Counts::blind = true;
  lacuna::test::EmulatedRun::shared = std::size_t(227) << 10;
  bench::replaying() = false;
  Account& account = Account::now();
  Pool& pool = Pool::instance();
  auto workload = bench::make_workload<Counting>(argv[1]);
  if (!workload) return std::fprintf(stderr, "no workload '%s'\n", argv[1]), 1;
  const std::size_t before = account.live;
  std::printf("%s\nbefore the step  %8.2f MB live, %.2f kept\n", argv[1], mb * double(before),
              mb * double(pool.kept_bytes()));
  (*workload)();
  account.begin();
  (*workload)();
  const std::size_t fullest = account.fullest;
  const long at = account.fullest_at, asked = account.asked;
  std::printf("fullest moment   %8.2f MB live, at block %ld of %ld\n", mb * double(fullest), at, asked);
  account.begin(at);
  (*workload)();
  print_fullest(account, {});
  pool.trim();
  std::size_t arena_holds = 0;
  {
    Pool::Arena arena;
    arena.enter();
    (*workload)();
    Pool::Arena::leave();
    arena_holds = arena.held();
    workload.reset();
  }
  std::printf("slab             %8.2f MB\nthe pool, in all %8.2f MB\n", mb * double(arena_holds),
              mb * double(pool.kept_bytes()));
}
