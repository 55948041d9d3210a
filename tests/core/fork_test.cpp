// A process that is forked after several threads have worked: it goes on with one, and with the same bits.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lacuna/core/threads.hpp"

namespace forking {

double harmonic() {
  return lacuna::parallel_sum(1000, 10, [](lacuna::index_t begin, lacuna::index_t end) {
    double part = 0;
    for (lacuna::index_t i = begin; i < end; ++i) part += 1 / double(i + 1);
    return part;
  });
}

/// The exit status of a child that runs f; -1 where it does not end by itself.
template <class F>
int child(F&& f) {
  const pid_t id = ::fork();
  if (id == 0) {
    ::alarm(20);
    ::_exit(f());
  }
  int status = 0;
  return id > 0 && ::waitpid(id, &status, 0) == id && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace forking

TEST_CASE("fork: a child of a process whose threads have worked goes on with one thread and the same bits") {
  using namespace forking;
  lacuna::set_threads(2);
  const double before = harmonic();
  const int several = lacuna::threads();
  for (int again = 0; again < 3; ++again)
    CHECK(child([&] {
            if (lacuna::threads() != 1) return 2;
            lacuna::set_threads(3);  // what is asked for there is not to be had
            if (harmonic() != before) return 3;
            return child([&] { return harmonic() == before ? 7 : 4; }) == 7 ? 9 : 5;
          }) == 9);
  CHECK(harmonic() == before);
  CHECK(lacuna::threads() == several);  // the parent keeps its threads
  lacuna::set_threads(0);
}
