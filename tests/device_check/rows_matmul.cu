// Matrix products and linear layers by cuBLASLt against the host: all layouts, strides and alignments, with what
// follows them.
#include "device_check/rows.cuh"

namespace {

using namespace lacuna;

struct Problem {
  index_t m, n, k;
  bool a_transposed, b_transposed, add;
  index_t shift;  ///< how far the operands stand from an aligned address
};

struct Layer {
  index_t rows, in, out;
  bool bias;
  Activation activation;
  index_t shift;  ///< how many numbers weight and bias stand from an aligned address: parameters lie side by side
};

template <class T>
std::vector<T> numbers(index_t count, std::uint64_t seed) {
  const RandomStream stream{17, seed};
  std::vector<T> list(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = T(float(2 * stream.uniform(i) - 1));
  return list;
}
template <class T, class D>
Array<T, D> array(index_t count, std::uint64_t seed) {
  Array<T, D> there(Shape{count});
  there.assign(numbers<T>(count, seed));
  return there;
}

template <class T, class D>
std::vector<T> product(const Problem& p) {
  const index_t a_stride = (p.a_transposed ? p.m : p.k) + p.shift, b_stride = (p.b_transposed ? p.k : p.n) + p.shift;
  const index_t c_stride = p.n + p.shift;
  const auto a = array<T, D>(p.shift + (p.a_transposed ? p.k : p.m) * a_stride, 1);
  const auto b = array<T, D>(p.shift + (p.b_transposed ? p.n : p.k) * b_stride, 2);
  auto c = array<T, D>(p.shift + p.m * c_stride, 3);
  Kernels<D>::Gemm::template gemm<T>(p.m, p.n, p.k, {a.data() + p.shift, a_stride, p.a_transposed},
                                     {b.data() + p.shift, b_stride, p.b_transposed}, T(p.add), c.data() + p.shift,
                                     c_stride);
  return c.to_vector();
}
template <class T, class D>
std::vector<T> layer(const Layer& l) {
  const auto x = array<T, D>(l.rows * l.in, 4), weight = array<T, D>(l.out * l.in + l.shift, 5);
  const auto bias = array<T, D>(l.out + l.shift, 6);
  Array<T, D> y(Shape{l.rows * l.out});
  Kernels<D>::Linear::linear(l.rows, l.in, l.out, x.data(), weight.data() + l.shift,
                             l.bias ? bias.data() + l.shift : nullptr, l.activation, y.data());
  return y.to_vector();
}

template <class T>
void check_products(double tolerance) {
  std::vector<std::array<index_t, 3>> sizes{{1, 1, 1}, {7, 5, 3}, {5, 300, 1}};
  const std::vector<std::array<index_t, 3>> larger{{64, 32, 128}, {33, 65, 257}, {300, 17, 70}, {2, 3, 5000}};
  if (!test::small_only()) sizes.insert(sizes.end(), larger.begin(), larger.end());
  for (const auto& [m, n, k] : sizes)
    for (int which = 0; which < 8; ++which)
      for (const index_t shift : {0, 1, 4}) {
        const Problem p{m, n, k, (which & 1) != 0, (which & 2) != 0, (which & 4) != 0, shift};
        const auto found = product<T, Cuda>(p);
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(which);
        CAPTURE(shift);
        CHECK(test::detail::error(found, product<T, Cpu>(p), 1.0) <= tolerance);
        CHECK(found == product<T, Cuda>(p));
      }
  for (const index_t rows : {1, 6, 129})
    for (const index_t out : {1, 8, 35, 128})
      for (const index_t shift : {0, 4, 2, 1})  // what may fault comes last, since all that follows it fails as well
        for (const bool bias : {false, true})
          for (const Activation activation : {Activation::none, Activation::relu, Activation::tanh}) {
            const Layer l{rows, 48, out, bias, activation, shift};
            const auto found = layer<T, Cuda>(l);
            CAPTURE(rows);
            CAPTURE(out);
            CAPTURE(shift);
            CAPTURE(bias);
            CAPTURE(int(activation));
            CHECK(test::detail::error(found, layer<T, Cpu>(l), 1.0) <= tolerance);
            CHECK(found == layer<T, Cuda>(l));
          }
}

}  // namespace

// NaN that is let through is seen in the loss.
TEST_CASE("matrix products: what is not a number becomes what it becomes on the host, rectified or not") {
  const auto rectified = []<class D>(D, Activation activation, index_t rows) {
    auto numbers = std::vector<float>{NAN, 1, -1, INFINITY, 2, 3, 1, 2, -3, -4, 5, 6};
    numbers.resize(std::size_t(rows * 4), 1.5f);
    Array<float, D> x(Shape{rows, 4}), weight(Shape{8, 4}), bias(Shape{8}), y(Shape{rows, 8});
    x.assign(numbers);
    weight.assign(std::vector<float>(32, 0.5f));
    bias.assign(std::vector<float>{0, 1, -1, 2, -20, 3, -3, 4});
    Kernels<D>::Linear::linear(rows, 4, 8, x.data(), weight.data(), bias.data(), activation, y.data());
    return y.to_vector();
  };
  for (const index_t rows : {3, 20})
    for (const Activation activation : {Activation::none, Activation::relu}) {
      const auto host = rectified(Cpu(), activation, rows), device = rectified(Cuda(), activation, rows);
      std::printf("what is not a number, %s: %g on the host, %g on the GPU\n",
                  activation == Activation::relu ? "rectified" : "as it is", double(host[0]), double(device[0]));
      CHECK(std::isnan(host[0]));
      for (std::size_t i = 0; i < host.size(); ++i) {
        CAPTURE(i);
        CHECK((host[i] == device[i] || (std::isnan(host[i]) && std::isnan(device[i]))));
      }
    }
}
TEST_CASE("matrix products: TF32 and bfloat16 where asked for, full again behind it") {
  const Problem p{64, 48, 256, false, true, false, 0};
  const Layer l{64, 256, 48, true, Activation::relu, 0};
  const auto exact = product<double, Cpu>(p), exact_layer = layer<double, Cpu>(l);
  struct Expected {
    Precision precision;
    double least, most;
  };
  // nvcc 12.4 deduces no list in the loop itself
  const Expected all[] = {{Precision::tf32, 2e-5, 2e-3}, {Precision::bf16, 2e-5, 2e-2}, {Precision::full, 0, 2e-6}};
  for (const auto& [precision, least, most] : all) {
    const PrecisionScope scope(precision);
    const auto found = product<float, Cuda>(p), found_layer = layer<float, Cuda>(l);
    const double error = test::detail::error(found, exact, 1.0);
    const double layer_error = test::detail::error(found_layer, exact_layer, 1.0);
    std::printf("precision %d: largest error %.2g of a product, %.2g of a layer\n", int(precision), error, layer_error);
    CHECK(error >= least);
    CHECK(error <= most);
    CHECK(layer_error >= least);
    CHECK(layer_error <= most);
    CHECK(found == product<float, Cuda>(p));
    CHECK(test::detail::error(product<double, Cuda>(p), exact, 1.0) <= 1e-12);
  }
}
TEST_CASE("matrix products: double to 1e-12") { check_products<double>(1e-12); }
TEST_CASE("matrix products: float to 1e-5, which TF32 would miss") { check_products<float>(1e-5); }
