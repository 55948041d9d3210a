/// Cross-attention and distillation in a project whose data are Eigen matrices.
///
/// Recordings come as one matrix per sample (frames x features, of different lengths; none where the recording is
/// missing). The program makes padded batches of them, lets audio attend to text, and brings outputs and gradients back
/// as matrices. Then it distils a table of logits with a plain function of matrices, without any graph.
#include <cstdio>
#include <lacuna/interop/eigen_batch.hpp>
#include <lacuna/interop/eigen_losses.hpp>
#include <lacuna/lacuna.hpp>

using namespace lacuna;

int main() {
  std::srand(1);  // Eigen's Random
  std::vector<Eigen::MatrixXf> audio, text;
  for (const int frames : {7, 4, 5}) audio.emplace_back(Eigen::MatrixXf::Random(frames, 16));
  for (const int frames : {3, 6, 0}) text.emplace_back(Eigen::MatrixXf::Random(frames, 8));  // the third has no text

  const auto asks = padded_batch(audio), answers = padded_batch(text);  // .frames (3, 7, 16), .present (3, 7)
  Random random(1);
  const CrossAttentionLayer<> layer({.embed_dim = 16, .num_heads = 4, .hidden = 32, .memory_dim = 8}, random);
  const Variable<float, 3> query(asks.frames, true), memory(answers.frames, true);
  const auto crossed = layer(query, memory, answers.present);
  for (const auto& sample : matrices_of(crossed.value(), asks.present))  // without the padding again
    std::printf("crossed: %ld frames, %ld features\n", long(sample.rows()), long(sample.cols()));

  mean(square(crossed)).backward();
  const auto gradient = memory.grad();  // a name: views of temporaries do not compile
  for (index_t sample = 0; sample < 3; ++sample)
    std::printf("text %ld: gradient %s\n", long(sample),
                gradient.matrix(sample).isZero(0) ? "exactly 0" : "of length > 0");

  Eigen::MatrixXf student = Eigen::MatrixXf::Random(32, 5), teacher = 3 * Eigen::MatrixXf::Random(32, 5), slope;
  const double before = hinton_kd_loss(student, teacher, {.temperature = 2});
  double after = before;
  for (int step = 0; step < 200; ++step) {
    after = hinton_kd_loss(student, teacher, {.temperature = 2}, &slope);
    student -= 10 * slope;
  }
  std::printf("distillation: %.4f at the start, %.6f after 200 steps\n", before, after);
  return after < 1e-2 * before && gradient.matrix(2).isZero(0) ? 0 : 1;
}
