/// Losses of the field as a user writes them: at most twelve lines over two Variables, no gradient by hand. Each
/// gradient is held against differences, each value against NumPy. There,
///
///     i, j = np.meshgrid(np.arange(8), np.arange(3), indexing='ij')
///     a, b = np.sin(1 + 3*i + 7*j + i*j), np.cos(2 + 5*i + 3*j + 2*i*j + i*i)
#include <doctest/doctest.h>

#include "lacuna/autograd/gradcheck.hpp"
#include "lacuna/ops/activation.hpp"
#include "lacuna/ops/indexing.hpp"
#include "lacuna/ops/matmul.hpp"

namespace own_loss_test {
namespace {

using namespace lacuna;
using Scalar = Variable<double, 0>;
using Matrix = Variable<double, 2>;

Scalar log_cosh(const Matrix& prediction, const Matrix& target) {
  const auto e = abs(prediction - target);  // log cosh e = |e| + log(1 + e⁻²ᵉ) − log 2, without overflow
  return mean(e + softplus(-2 * e) - std::log(2.0));
}

/// (Lin et al., ICCV 2017), two classes, γ = 2.
Scalar focal(const Matrix& logits, const Matrix& target) {
  const auto p = sigmoid(logits);
  const auto right = where(greater(target, 0.0), p, 1 - p);
  return mean(-square(1 - right) * log(right));
}

/// (Zbontar et al., ICML 2021), λ = 0.005.
Scalar barlow_twins(const Matrix& a, const Matrix& b) {
  const auto unit = [](const Matrix& x) { return (x - mean(x, 0)) / stddev(x, Correction{0}, 0); };
  const auto za = unit(a), zb = unit(b);
  const auto c = matmul(za, zb, {.transpose_a = true}) / double(a.extent(0));
  const auto diagonal = mean(za * zb, 0);
  return sum(square(diagonal - 1)) + 0.005 * (sum(square(c)) - sum(square(diagonal)));
}

/// (Bardes, Ponce & LeCun, ICLR 2022), weights 25, 25, 1.
Scalar vicreg(const Matrix& a, const Matrix& b) {
  const auto spread = [](const Matrix& x) {
    const auto centered = x - mean(x, 0);
    const auto covariance = matmul(centered, centered, {.transpose_a = true}) / double(x.extent(0) - 1);
    const auto variance = var(x, 0);
    return 25 * mean(maximum(1 - sqrt(variance + 1e-4), 0.0)) +
           (sum(square(covariance)) - sum(square(variance))) / double(x.extent(1));
  };
  return 25 * mean(square(a - b)) + spread(a) + spread(b);
}

/// (Chen et al., ICML 2020), τ = 0.5.
Scalar nt_xent(const Matrix& a, const Matrix& b) {
  const auto unit = [](const Matrix& x) { return x / norm(x, 2, 1, keepdim); };
  const auto z = unit(concat({a, b}, 0)), partner = unit(concat({b, a}, 0));
  const auto similarity = matmul(z, z, {.transpose_b = true}) / 0.5;
  const auto self = equal(eye<double>(z.extent(0)), 1.0);
  return mean(logsumexp(masked_fill(similarity, self, -INFINITY), 1) - sum(z * partner, 1) / 0.5);
}

/// Entropic optimal transport between two sets of points, ε = 0.5, 20 steps.  (Cuturi, NeurIPS 2013)
Scalar sinkhorn(const Matrix& a, const Matrix& b) {
  const auto cost = sum(square(unsqueeze(a, 1) - unsqueeze(b, 0)), 2);
  const auto k = -cost / 0.5;
  const double share = -std::log(double(a.extent(0)));
  Variable<double, 1> f(Tensor<double, 1>::zeros({a.extent(0)})), g(Tensor<double, 1>::zeros({b.extent(0)}));
  for (int step = 0; step < 20; ++step) {
    f = share - logsumexp(k + g, 1);
    g = share - logsumexp(k + unsqueeze(f, 1), 0);
  }
  return sum(exp(unsqueeze(f, 1) + k + g) * cost);
}

/// 1 − the concordance correlation coefficient.  (Lin 1989)
Scalar ccc(const Matrix& prediction, const Matrix& target) {
  const auto p = prediction - mean(prediction), t = target - mean(target);
  const auto apart = mean(prediction) - mean(target);
  return 1 - 2 * mean(p * t) / (mean(square(p)) + mean(square(t)) + square(apart));
}

/// (Wen et al., ECCV 2016): the rows of b are the centers of the classes.
Scalar center_loss(const Matrix& features, const Matrix& centers) {
  const auto own = index_select(centers, 0, {0, 2, 1, 1, 0, 2, 2, 1});
  return 0.5 * mean(sum(square(features - own), 1));
}

/// s^½ and s^(−½) of a matrix with positive eigenvalues, by Newton and Schulz: products alone.
std::pair<Matrix, Matrix> roots(const Matrix& s) {
  const auto size = norm(s);
  const auto identity = eye<double>(s.extent(0));
  Matrix y = s / size, z = identity;
  for (int step = 0; step < 30; ++step) {
    const auto w = 1.5 * identity - 0.5 * matmul(z, y);
    y = matmul(y, w), z = matmul(w, z);
  }
  return {y * sqrt(size), z / sqrt(size)};
}
/// Minus the sum of the canonical correlations, the singular values of Σ₁₁^(−½) Σ₁₂ Σ₂₂^(−½) with Σ + 0.1 I on the
/// diagonal.  (Andrew et al., ICML 2013)
Scalar deep_cca(const Matrix& a, const Matrix& b) {
  const auto x = a - mean(a, 0), y = b - mean(b, 0);
  const auto covariance = [](const Matrix& u, const Matrix& v) {
    return matmul(u, v, {.transpose_a = true}) / double(u.extent(0) - 1);
  };
  const auto ridge = 0.1 * eye<double>(a.extent(1));
  const auto left = roots(covariance(x, x) + ridge).second, right = roots(covariance(y, y) + ridge).second;
  const auto t = matmul(matmul(left, covariance(x, y)), right);
  return -sum(roots(matmul(t, t, {.transpose_a = true})).first * eye<double>(t.extent(1)));
}

void check(const char* name, Scalar (*loss)(const Matrix&, const Matrix&), double expected) {
  Tensor<double, 2> first({8, 3}), second({8, 3});
  for (index_t i = 0; i < 8; ++i)
    for (index_t j = 0; j < 3; ++j) {
      first(i, j) = std::sin(double(1 + 3 * i + 7 * j + i * j));
      second(i, j) = std::cos(double(2 + 5 * i + 3 * j + 2 * i * j + i * i));
    }
  const Matrix a(first, true), b(second, true);
  CHECK_MESSAGE(std::abs(loss(a, b).item() - expected) < 1e-9, name << ": " << loss(a, b).item());
  const auto worst = check_gradients([&] { return loss(a, b); }, 1e-5, 0.01, a, b);
  CHECK_MESSAGE(worst.worst < 1e-6, name << ": " << worst.analytic << " and " << worst.numeric);
}

}  // namespace

TEST_CASE("losses of one's own: values and gradients") {
  check("log cosh", log_cosh, 0.41970795246563225);        // np.mean(np.log(np.cosh(a - b)))
  check("focal", focal, 0.2908035812228007);               // p = 1/(1 + exp(-a)), q = where(b > 0, p, 1 - p)
                                                           // np.mean(-(1 - q)**2 * np.log(q))
  check("Barlow Twins", barlow_twins, 4.844507179158072);  // za = (a - a.mean(0)) / a.std(0), c = za.T @ zb / 8
                                                           // ((diag(c) - 1)**2).sum() + 0.005 * (off(c)**2).sum()
  check("VICReg", vicreg, 42.793313323581934);             // np.cov, x.var(0, ddof=1)
  check("NT-Xent", nt_xent, 3.685916237347889);            // the diagonal of z @ z.T / 0.5 filled with -inf
  check("Sinkhorn", sinkhorn, 1.293272699570876);          // u = 1/8 / (K @ v), v = 1/8 / (K.T @ u), v = 1 at first
  check("CCC", ccc, 1.2520392877596103);                   // x, y = a.ravel(), b.ravel(), x.var(), y.var()
  check("center loss", center_loss, [] {                   // Σ over the classes by hand
    double total = 0;
    const int own[] = {0, 2, 1, 1, 0, 2, 2, 1};
    for (int i = 0; i < 8; ++i)
      for (int j = 0; j < 3; ++j)
        total += std::pow(std::sin(1.0 + 3 * i + 7 * j + i * j) -
                              std::cos(2.0 + 5 * own[i] + 3 * j + 2 * own[i] * j + own[i] * own[i]),
                          2);
    return total / 16;
  }());
  check("deep CCA", deep_cca, -1.1610251574832686);  // -np.linalg.svd(T)[1].sum(), roots by np.linalg.eigh
}

}  // namespace own_loss_test
