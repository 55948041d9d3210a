// Distils a teacher that sees all six views into a small student that sees one. The teacher has all labels, the student
// those of 100 samples: about the others it learns from the teacher alone. Prints the test accuracy of every way to
// distil.
#include <lacuna/losses/relational.hpp>

#include "support/fit_batches.hpp"
#include "support/program.hpp"
#include "support/views.hpp"

using lacuna::index_t;
using Var = lacuna::Variable<float, 2>;

struct Network {
  lacuna::Linear<float> hidden, out, bridge;  // the bridge: features to the width of the teacher's
  Network(index_t in, index_t width, index_t classes, index_t teacher_width, lacuna::Random& random)
      : hidden({.in_features = in, .out_features = width}, random),
        out({.in_features = width, .out_features = classes}, random),
        bridge({.in_features = width, .out_features = teacher_width}, random) {}
  Var features(const Var& x) const { return hidden(x, lacuna::Activation::relu); }
  static void reflect(auto& self, auto&& visit) {
    visit("hidden", self.hidden);
    visit("out", self.out);
    visit("bridge", self.bridge);
  }
};

int main(int argc, char** argv) {
  CLI::App app("Distils a teacher of all views into a student of one.", "distill_student");
  std::string path, view = "fou";
  index_t epochs = 40;
  app.add_option("--data", path, "mfeat_six_views.npz; without it a synthetic set")->check(CLI::ExistingFile);
  app.add_option("--view", view, "what the student sees")->capture_default_str();
  app.add_option("--epochs", epochs, "passes over the data")->check(CLI::PositiveNumber)->capture_default_str();
  return support::run("distill_student", app, argc, argv, [&] {
    const auto data = support::load_views(path);
    if (!data.train.views.contains(view)) throw lacuna::OptionError("there is no view '" + view + "'");
    const auto all = support::joined(data.train), one = data.train.views.at(view);
    const auto score = [&](const char* name, const Network& net, const lacuna::Tensor<float, 2>& x) {
      std::printf("%-30s %.1f %%\n", name, support::accuracy(net.out(net.features(Var(x))).value(), data.test.labels));
    };
    lacuna::Random random(1);
    const Network teacher(all.extent(1), 128, data.classes, 128, random);
    support::fit_batches(teacher, {data.train.size(), 100, epochs}, [&](auto rows) {
      return cross_entropy(teacher.out(teacher.features(Var(support::rows_of(all, rows)))),
                           support::labels_of(data.train, rows));
    });
    lacuna::freeze(teacher);  // a constant from here on
    score("teacher", teacher, support::joined(data.test));

    const auto student = [&](const char* name, auto&& distil) {
      lacuna::Random same(3);
      const Network net(one.extent(1), 32, data.classes, 128, same);
      support::fit_batches(net, {data.train.size(), 100, epochs}, [&](auto rows) {
        lacuna::Mask<1> labelled({index_t(rows.size())});
        for (std::size_t i = 0; i < rows.size(); ++i) labelled.data()[i] = rows[i] % 12 == 0;
        const Var own = net.features(Var(support::rows_of(one, rows))), logits = net.out(own);
        const Var taught = teacher.features(Var(support::rows_of(all, rows)));
        return cross_entropy(logits, support::labels_of(data.train, rows), {}, labelled) +
               distil(net, own, logits, taught);
      });
      score(name, net, data.test.views.at(view));
    };
    const auto response = [&](auto&, auto&, const Var& logits, const Var& taught) {
      return hinton_kd_loss(logits, teacher.out(taught));
    };
    const auto relation = [](auto&, const Var& own, auto&, const Var& taught) {
      return 20 * rkd_distance_loss(own, taught) + 40 * rkd_angle_loss(own, taught);
    };
    student("student, labels only", [](auto&, auto&, const Var& logits, auto&) { return 0 * sum(logits); });
    student("student, + responses", response);
    student("student, + features", [](const Network& net, const Var& own, auto&, const Var& taught) {
      return mse_loss(net.bridge(own), taught);
    });
    student("student, + relations", relation);
    student("student, + responses, relations",
            [&](auto&... all_of) { return response(all_of...) + relation(all_of...); });
    return 0;
  });
}
