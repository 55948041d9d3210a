#include "lacuna/losses/distillation.hpp"

#include <doctest/doctest.h>

using namespace lacuna;

TEST_CASE("rmse_loss: a distance of two representations; detach says which one is pulled") {
  const Variable<double, 2> student(Tensor<double, 2>::from({2, 2}, {1, 2, 3, 4}), true);
  const Variable<double, 2> teacher(Tensor<double, 2>::from({2, 2}, {1, 0, 3, 0}), true);
  const auto loss = rmse_loss(student, teacher.detach());
  CHECK(loss.item() == doctest::Approx(std::sqrt(20.0 / 4)).epsilon(1e-15));
  loss.backward();
  CHECK_FALSE(teacher.has_grad());
  CHECK(student.grad()(0, 0) == 0);
  CHECK(student.grad()(1, 1) == doctest::Approx(4 / (4 * std::sqrt(5.0))).epsilon(1e-15));
  student.zero_grad();
  rmse_loss(student, teacher).backward();
  CHECK(teacher.grad()(1, 1) == -student.grad()(1, 1));
}

TEST_CASE("rmse_loss: absent samples take no part, whatever they hold; none present is 0") {
  const Variable<double, 2> a(Tensor<double, 2>::from({2, 2}, {3, 3, NAN, NAN}), true);
  const Variable<double, 2> b(Tensor<double, 2>::from({2, 2}, {0, 0, 1, INFINITY}), true);
  const auto one = rmse_loss(a, b, Mask<1>::from({2}, {1, 0}));
  CHECK(one.item() == 3);
  one.backward();
  CHECK(a.grad().to_vector() == std::vector<double>{0.5, 0.5, 0, 0});
  a.zero_grad();
  const auto none = rmse_loss(a, b, Mask<1>::from({2}, {0, 0}));
  CHECK(none.item() == 0);
  none.backward();
  CHECK(a.grad().to_vector() == std::vector<double>{0, 0, 0, 0});
}
