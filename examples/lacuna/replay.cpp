// lacuna replay: a published model on given parameters and inputs and writes every array it computes, under the names of the
// authors' PyTorch module: the way to compare this library with any other implementation, number by number.

#include <CLI/CLI.hpp>
#include <lacuna/io/npz_writer.hpp>

#include "commands.hpp"
#include "foresight.hpp"
#include "support/program.hpp"
#include "support/replay_corrkd.hpp"
#include "support/replay_sdumc.hpp"

namespace program {
namespace {

template <class T, class Problem, class Request>
void write_arrays(const Request& request, const std::string& path) {
  Problem problem(request);
  lacuna::io::NpzWriter out(path);
  std::size_t count = 0;
  problem.run([&](const std::string& name, const lacuna::Array<T>& numbers) {
    out.add(name, std::span<const T>(numbers.data(), std::size_t(numbers.size())), numbers.shape());
    ++count;
  });
  out.close();
  std::printf("%zu arrays in %s\n", count, path.c_str());
}

}  // namespace

int replay(const Call& call) {
  CLI::App app("Replays a model on given parameters and inputs; writes every array it computes.", "lacuna replay");
  app.require_subcommand(1);
  ::replay::SdumcRequest request;
  std::string dtype = "f64", out;
  CLI::App* sdumc = app.add_subcommand("sdumc", "SDUMC: both flows, losses, gradients, Adam steps");
  sdumc->add_option("--params", request.params, ".npz with par/NAME, PyTorch names")->required();
  sdumc->add_option("--inputs", request.inputs, ".npz with in/audio, text, video, feat4, len_*, label, cfg/weights")
      ->required();
  sdumc
      ->add_option("--variant", request.variant,
                   "imagination: nomia, mia (residual: transition), mia_xt (residual: text)")
      ->check(CLI::IsMember({"nomia", "mia", "mia_xt"}))
      ->capture_default_str();
  sdumc->add_option("--padding", request.padding, "published (padded frames take part) or masked")
      ->check(CLI::IsMember({"published", "masked"}))
      ->capture_default_str();
  sdumc->add_option("--dtype", dtype, "f32 or f64")->check(CLI::IsMember({"f32", "f64"}))->capture_default_str();
  sdumc->add_option("--masks", request.masks, ".npz with mask0/, mask1/: dropout factors in call order");
  const char* const steps = "Adam steps on this batch; parameters after the first and the last are written";
  support::number_option(*sdumc, "--steps", request.steps, steps, {0, 1000000});
  sdumc->add_option("--schedule", request.schedule, "const: rate 1e-4; sched: 2e-5, the first epoch of the warm-up")
      ->check(CLI::IsMember({"const", "sched"}))
      ->capture_default_str();
  sdumc->add_flag("--grad", request.gradients, "write the gradient of the total to every parameter");
  sdumc->add_option("--out", out, "result, .npz")->required();
  ::replay::CorrkdRequest corrkd_request;
  CLI::App* corrkd = app.add_subcommand("corrkd", "CorrKD: teacher and student, losses, gradients, Adam steps");
  corrkd->add_option("--file", corrkd_request.file, ".npz laid out like corrkd_net.npz: arg, in, par of every case")
      ->required();
  corrkd->add_option("--case", corrkd_request.name, "one of its index, as k3")->required();
  corrkd->add_option("--dtype", dtype, "f32 or f64")->check(CLI::IsMember({"f32", "f64"}))->capture_default_str();
  support::number_option(*corrkd, "--steps", corrkd_request.steps, steps, {0, 1000000});
  corrkd->add_option("--out", out, "result, .npz")->required();
  return support::run(
      "lacuna replay", app, call.argc, call.argv, [] {},
      [&] {
        const bool narrow = dtype == "f32";
        expect_other_file("--out", out, {request.params, request.inputs, request.masks, corrkd_request.file});
        expect_writable(out);
        if (*corrkd)
          narrow ? write_arrays<float, ::replay::Corrkd<float>>(corrkd_request, out)
                 : write_arrays<double, ::replay::Corrkd<double>>(corrkd_request, out);
        else
          narrow ? write_arrays<float, ::replay::Sdumc<float>>(request, out)
                 : write_arrays<double, ::replay::Sdumc<double>>(request, out);
        return 0;
      });
}

}  // namespace program
