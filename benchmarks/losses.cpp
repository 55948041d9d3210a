// What a fused loss saves: each beside the same formula composed of the vocabulary, forward and backward.
//
//   cmake --build build --target bench_losses && build/benchmarks/losses [--seconds S] [NAME ...]
//
// Float, one thread; features (96, 128), logits (96, 7), Rank-N-Contrast and angles over 64 and 32 samples, because their
// compositions hold N³ and N²·d numbers. "masked": 72 of 96 samples are present, and the composition selects their rows.
// Printed per loss: microseconds of processor time of a call, fused and composed (the least of all rounds), their ratio
// (above 1: fused is faster), and how far the values and the gradients are apart, relative.

#include <CLI/CLI.hpp>

#include "lacuna/lacuna.hpp"
#include "support/measure.hpp"

namespace {

using namespace lacuna;
using Matrix = Variable<float, 2>;
using Scalar = Variable<float, 0>;

Matrix features(index_t rows, index_t columns, std::uint64_t seed) {
  Random random(seed);
  return Matrix(init::normal<float, 2>({rows, columns}, 1.0, random), true);
}
std::vector<index_t> classes(index_t rows, index_t count) {
  std::vector<index_t> all;
  for (index_t i = 0; i < rows; ++i) all.push_back((i * 5 + i / 3) % count);
  return all;
}
Matrix one_hot(const std::vector<index_t>& labels, index_t count) {
  auto y = Tensor<float, 2>::zeros({index_t(labels.size()), count});
  for (std::size_t i = 0; i < labels.size(); ++i) y(index_t(i), labels[i]) = 1;
  return Matrix(y);
}

Matrix unit(const Matrix& x) { return x / norm(x, 2, 1, keepdim); }
/// ‖a_i − b_j‖²
Matrix squared_distances(const Matrix& a, const Matrix& b) {
  const auto apart = sum(square(a), 1, keepdim) + sum(square(b), 1) - 2 * matmul(a, b, {.transpose_b = true});
  return maximum(apart, 0.0);
}
Matrix distances(const Matrix& a, const Matrix& b) { return sqrt(squared_distances(a, b) + 1e-12); }
Matrix identity(index_t n) { return eye<float>(n); }
template <int R>
Scalar smooth_l1(const Variable<float, R>& difference) {
  const auto e = abs(difference);
  return mean(where(less(e, 1.0), 0.5 * square(e), e - 0.5));
}
Scalar divergence(const Matrix& student, const Matrix& teacher) {
  const auto p = log_softmax(teacher);
  return sum(exp(p) * (p - log_softmax(student))) / double(student.extent(0));
}

struct Bench {
  double seconds = 0.2;
  std::vector<std::string> wanted;
  Matrix a = features(96, 128, 1), b = features(96, 128, 2), c = features(96, 128, 3);
  Matrix z = features(96, 7, 4), t = features(96, 7, 5), scores = features(96, 96, 6);
  std::vector<index_t> labels = classes(96, 7);

  template <class Fused, class Composed>
  void operator()(const char* name, Fused&& fused, Composed&& composed) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) return;
    const auto spent = [&](auto& loss) {
      constexpr int calls = 10;
      return 1e3 / calls * bench::smallest_ms(seconds, bench::cpu_ms, [&] {
               for (int i = 0; i < calls; ++i) {
                 for (Matrix* leaf : {&a, &b, &c, &z, &t, &scores}) leaf->zero_grad();
                 loss().backward();
               }
             });
    };
    const auto once = [&](auto& loss, std::vector<float>& slopes) {
      for (Matrix* leaf : {&a, &b, &c, &z, &t, &scores}) leaf->zero_grad();
      const Scalar value = loss();
      value.backward();
      for (const Matrix* leaf : {&a, &b, &c, &z, &t, &scores})
        if (leaf->has_grad())
          for (const float slope : leaf->grad().to_vector()) slopes.push_back(slope);
      return double(value.item());
    };
    std::vector<float> slopes, others;
    const double x = once(fused, slopes), y = once(composed, others);
    double steepest = 1e-30, apart = 0;
    for (std::size_t i = 0; i < slopes.size(); ++i) {
      steepest = std::max(steepest, double(std::abs(slopes[i])));
      apart = std::max(apart, double(std::abs(slopes[i] - others[i])));
    }
    const double one = spent(fused), other = spent(composed);
    std::printf("%-24s %10.1f %10.1f %8.2f   %.1e %.1e\n", name, one, other, other / one,
                std::abs(x - y) / std::max(std::abs(x), 1e-12), apart / steepest);
    std::fflush(stdout);
  }
  void run();
};

void Bench::run() {
  auto& self = *this;
  const double n = 96;
  const Matrix hot = one_hot(labels, 7);
  const Labels<Cpu> given = labels;
  auto present = Mask<1>::full({96}, 1);
  std::vector<index_t> rows;
  for (index_t i = 0; i < 96; ++i)
    if (i % 4 == 1)
      present(i) = 0;
    else
      rows.push_back(i);
  const auto here = [&](const Matrix& x) { return index_select(x, 0, rows); };
  self(
      "mse_loss", [&] { return mse_loss(a, b); }, [&] { return mean(square(a - b)); });
  self(
      "l1_loss", [&] { return l1_loss(a, b); }, [&] { return mean(abs(a - b)); });
  self(
      "l1_loss, masked", [&] { return l1_loss(a, b, {}, present); }, [&] { return mean(abs(here(a) - here(b))); });
  self(
      "smooth_l1_loss", [&] { return smooth_l1_loss(a, b); }, [&] { return smooth_l1(a - b); });
  self(
      "huber_loss", [&] { return huber_loss(a, b); }, [&] { return smooth_l1(a - b); });
  self(
      "rmse_loss", [&] { return rmse_loss(a, b); }, [&] { return sqrt(mean(square(a - b))); });
  self(
      "cross_entropy", [&] { return cross_entropy(z, given); }, [&] { return nll_loss(log_softmax(z), given); });
  const Present<Cpu> kept = present;
  const std::vector<double> weights{1, 2, 1, 0.5, 1, 1, 3};
  const Variable<float, 1> weighed(Tensor<float, 1>::from({7}, {1, 2, 1, 0.5, 1, 1, 3}));
  double total = 0;
  for (const index_t i : rows) total += weights[std::size_t(labels[std::size_t(i)])];
  self(
      "cross_entropy, masked", [&] { return cross_entropy(z, given, {.weights = weights, .smoothing = 0.1}, kept); },
      [&] {
        const auto p = log_softmax(z);
        return 0.9 * nll_loss(p, given, {.weights = weights}, kept) - sum(here(p) * weighed) * (0.1 / 7 / total);
      });
  self(
      "kl_divergence", [&] { return kl_divergence(z, t); }, [&] { return divergence(z, t); });
  self(
      "hinton_kd_loss", [&] { return hinton_kd_loss(z, t); }, [&] { return 16 * divergence(z / 4, t / 4); });
  self(
      "dkd_loss", [&] { return dkd_loss(z, t, given); },
      [&] {
        const auto mask = greater(hot, 0.0);
        const auto two = [&](const Matrix& x) {
          const auto p = sum(softmax(x) * hot, 1, keepdim);
          return concat({p, 1 - p}, 1);
        };
        const auto s = z / 4, u = t / 4;
        const auto q = two(s), p = two(u);
        const auto rest = divergence(masked_fill(s, mask, -1e4), masked_fill(u, mask, -1e4));
        return 16 * (sum(p * log(p / q)) / n + 8 * rest);
      });
  self(
      "jsd_mutual_information", [&] { return jsd_mutual_information(scores); },
      [&] {
        const auto joint = softplus(-scores) * identity(96), apart = softplus(scores) * (1 - identity(96));
        return -sum(joint) / n - sum(apart) / (n * (n - 1));
      });
  self(
      "scd_loss", [&] { return scd_loss(a, b, {.margin = 20}); },
      [&] {
        const auto push = square(maximum(20 - distances(a, b), 0.0)) * (1 - identity(96));
        return sum(square(a - b)) / n + sum(push) / (n * (n - 1));
      });
  // rows of length 57 with 0.16 between them, a margin of 0.2
  const auto close = [](const Matrix& x) { return 5 + 0.01 * x; };
  self(
      "scd_loss, close rows", [&] { return scd_loss(close(a), close(b), {.margin = 0.2}); },
      [&] {
        const auto x = close(a), y = close(b);
        const auto push = square(maximum(0.2 - distances(x, y), 0.0)) * (1 - identity(96));
        return sum(square(x - y)) / n + sum(push) / (n * (n - 1));
      });
  const auto variation = [&](const Matrix& x, const Matrix& y, const Matrix& of) {
    const auto cosines = [&](const Matrix& h) {
      const auto means = matmul(of, h, {.transpose_a = true}) / unsqueeze(sum(of, 0), 1);
      return matmul(unit(h), unit(means), {.transpose_b = true});
    };
    return mean(square(cosines(x) - cosines(y)));
  };
  self(
      "cpd_loss", [&] { return cpd_loss(a, b, given, 7); }, [&] { return variation(a, b, hot); });
  self(
      "cpd_loss, masked", [&] { return cpd_loss(a, b, given, 7, {}, kept); },
      [&] { return variation(here(a), here(b), here(hot)); });
  self(
      "info_nce_loss", [&] { return info_nce_loss(a, b); },
      [&] {
        const auto x = unit(a), y = unit(b), s = matmul(x, y, {.transpose_b = true}) / 0.1;
        return mean(0.5 * (logsumexp(s, 1) + logsumexp(s, 0)) - sum(x * y, 1) / 0.1);
      });
  const auto self_pairs = equal(identity(192), 1.0);
  self(
      "nt_xent_loss", [&] { return nt_xent_loss(a, b); },
      [&] {
        const auto x = unit(a), y = unit(b), both = concat({x, y}, 0), partner = concat({y, x}, 0);
        const auto s = matmul(both, both, {.transpose_b = true}) / 0.1;
        return mean(logsumexp(masked_fill(s, self_pairs, -INFINITY), 1) - sum(both * partner, 1) / 0.1);
      });
  const auto same = matmul(hot, hot, {.transpose_b = true}) - identity(96);
  const auto positives = same / sum(same, 1, keepdim);
  self(
      "supcon_loss", [&] { return supcon_loss(a, given); },
      [&] {
        const auto x = unit(a), s = matmul(x, x, {.transpose_b = true}) / 0.1;
        const auto all = logsumexp(masked_fill(s, equal(identity(96), 1.0), -INFINITY), 1);
        return mean(all - sum(positives * s, 1));
      });
  self(
      "triplet_loss", [&] { return triplet_loss(a, b, c); },
      [&] { return mean(maximum(1 + norm(a - b + 1e-6, 2, 1) - norm(a - c + 1e-6, 2, 1), 0.0)); });
  std::vector<index_t> signs;
  for (index_t i = 0; i < 96; ++i) signs.push_back(i % 2 ? 1 : -1);
  const Labels<Cpu> towards = signs;
  auto sign_of = Tensor<float, 1>::zeros({96});
  for (index_t i = 0; i < 96; ++i) sign_of(i) = float(signs[std::size_t(i)]);
  const auto attracted = greater(Variable<float, 1>(sign_of), 0.0);
  self(
      "cosine_embedding_loss", [&] { return cosine_embedding_loss(a, b, towards); },
      [&] {
        const auto cosine = sum(a * b, 1) / sqrt((sum(square(a), 1) + 1e-12) * (sum(square(b), 1) + 1e-12));
        return mean(where(attracted, 1 - cosine, maximum(cosine, 0.0)));
      });
  const auto kernel_means = [](const Matrix& first, const Matrix& second) {
    const auto k = [](const Matrix& x, const Matrix& y) { return mean(exp(squared_distances(x, y) / -128)); };
    return k(first, first) + k(second, second) - 2 * k(first, second);
  };
  self(
      "mmd_loss", [&] { return mmd_loss(a, b, {.bandwidths = {8}}); }, [&] { return kernel_means(a, b); });
  self(
      "mmd_loss, near the end", [&] { return mmd_loss(a, a + 0.01 * b, {.bandwidths = {8}}); },
      [&] { return kernel_means(a, a + 0.01 * b); });
  self(
      "rkd_distance_loss", [&] { return rkd_distance_loss(a, b); },
      [&] {
        const auto relations = [&](const Matrix& x) {
          const auto d = distances(x, x) * (1 - identity(96));
          return d / (sum(d) / (n * (n - 1)));
        };
        return smooth_l1(relations(a) - relations(b));
      });
  const auto few = [](const Matrix& x, index_t count) { return slice(x, 0, 0, count); };
  self(
      "rkd_angle_loss", [&] { return rkd_angle_loss(few(a, 32), few(b, 32)); },
      [&] {
        const auto angles = [&](const Matrix& x) {
          const auto e = unsqueeze(x, 0) - unsqueeze(x, 1);
          const auto towards_all = e / sqrt(sum(square(e), 2, keepdim) + 1e-12);
          return matmul(towards_all, towards_all, {.transpose_b = true});
        };
        return smooth_l1(angles(few(a, 32)) - angles(few(b, 32)));
      });
  std::vector<float> ages;
  for (index_t i = 0; i < 64; ++i) ages.push_back(float((i * 37) % 64) / 8);
  const Labels<Cpu, float> real = ages;
  self(
      "rank_n_contrast", [&] { return rank_n_contrast(few(a, 64), real); },
      [&] {
        Tensor<std::uint8_t, 3> out({64, 64, 64});
        for (index_t i = 0; i < 64; ++i)
          for (index_t j = 0; j < 64; ++j)
            for (index_t k = 0; k < 64; ++k) {
              const auto y = [&](index_t s) { return ages[std::size_t(s)]; };
              out(i, j, k) = k == i || std::abs(y(i) - y(k)) < std::abs(y(i) - y(j)) - 1e-4f;
            }
        const auto x = few(a, 64), s = distances(x, x) / -2;
        const auto others = masked_fill(expand(unsqueeze(s, 1), {64, 64, 64}), out, -INFINITY);
        return sum((logsumexp(others, 2) - s) * (1 - identity(64))) / (64.0 * 63);
      });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times every fused loss beside its composition, float, on the CPU, one thread.", "losses");
  Bench bench;
  app.add_option("--seconds", bench.seconds, "of every measurement; at least three calls")->capture_default_str();
  app.add_option("names", bench.wanted, "losses to time; all when empty");
  CLI11_PARSE(app, argc, argv);
  lacuna::set_threads(1);
  std::printf("%-24s %10s %10s %8s   %-7s %s\n", "loss", "fused us", "composed", "ratio", "apart", "slopes");
  bench.run();
  return 0;
}
