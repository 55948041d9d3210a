// The one main of all test binaries: doctest's, plus a line for every test that could not run.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <cstdio>

#include "support/paths.hpp"

namespace {

/// doctest counts skipped tests; a reader of the log wants their names and the reason.
struct NameSkipped : doctest::IReporter {
  explicit NameSkipped(const doctest::ContextOptions&) {}
  void test_case_skipped(const doctest::TestCaseData& test) override {
    if (!test.m_skip) return;  // left out by a filter on the command line
    if (skipped_++ == 0) {
      if (!lacuna::test::have_oracle()) std::printf("no oracle in %s\n", lacuna::test::oracle_dir().c_str());
      if (!lacuna::test::have_data()) std::printf("no data in %s\n", lacuna::test::data_dir().c_str());
    }
    std::printf("skipped: %s\n", test.m_name);
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_start(const doctest::TestCaseData&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_end(const doctest::CurrentTestCaseStats&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}

 private:
  int skipped_ = 0;
};

DOCTEST_REGISTER_LISTENER("name_skipped", 1, NameSkipped);

}  // namespace
