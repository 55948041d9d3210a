// Cross-attention: one modality asks, another answers. Text (3 questions per sample) attends to a sequence of 10 audio
// frames, of which only some are present. It learns to find the frame whose first half is the question, and to say what
// stands in its second half.
#include <cstdio>
#include <lacuna/lacuna.hpp>

using namespace lacuna;

struct Task {
  Variable<float, 3> question, answer;  // (B, 3, 8): text asks, and what should be said
  Variable<float, 3> frames;            // (B, 10, 16): audio, a key and a value in each frame
  Mask<2> present;                      // (B, 10): sample b has its first 4 + b % 7 frames
  std::vector<index_t> place;           // in which frame each question is answered
};

Task draw(index_t batch, Random& random) {
  Tensor<float, 3> frames = init::normal<float, 3>({batch, 10, 16}, 1.0, random);
  Tensor<float, 3> question({batch, 3, 8}), answer({batch, 3, 8});
  Task task{{}, {}, Variable<float, 3>(frames), Mask<2>({batch, 10}), {}};
  for (index_t b = 0; b < batch; ++b) {
    for (index_t t = 0; t < 10; ++t) task.present(b, t) = t < 4 + b % 7;
    for (index_t q = 0; q < 3; ++q) {
      task.place.push_back(random.below(4 + b % 7));
      for (index_t f = 0; f < 8; ++f) {
        question(b, q, f) = frames(b, task.place.back(), f);
        answer(b, q, f) = frames(b, task.place.back(), 8 + f);
      }
    }
  }
  task.question = Variable<float, 3>(question), task.answer = Variable<float, 3>(answer);
  return task;
}

int main() {
  Random random(7);
  // Queries are as wide as the result, keys and values as wide as the other modality.
  const MultiHeadAttention<float> attention({.embed_dim = 8, .num_heads = 1, .key_dim = 16, .value_dim = 16}, random);
  optim::Adam optimizer(attention);
  for (int step = 0; step < 1500; ++step) {
    const Task task = draw(32, random);
    optimizer.zero_grad();
    mse_loss(attention(task.question, task.frames, task.frames, task.present).output, task.answer).backward();
    optimizer.set_learning_rate(5e-3 * optim::cosine(1500)(step));
    optimizer.step();
  }

  const Task task = draw(200, random);
  const auto [said, weights] = attention(task.question, task.frames, task.frames, task.present);
  const double error = double(mse_loss(said, task.answer).item());
  double found = 0, absent = 0;
  for (index_t b = 0; b < 200; ++b)
    for (index_t q = 0; q < 3; ++q) {
      const auto place = task.place[std::size_t(3 * b + q)];
      found += double(weights(b, 0, q, place)) / 600;
      for (index_t t = 4 + b % 7; t < 10; ++t) absent += double(weights(b, 0, q, t));
    }
  std::printf("error %.3f (saying nothing: 1); weight of the right frame %.2f, of all absent frames %g\n", error, found,
              absent);

  // A sample without any audio: the answer is the bias of the last layer, whatever its frames hold.
  const auto silent = attention(task.question, task.frames, task.frames, Mask<2>::zeros({200, 10})).output;
  std::printf("without audio: every answer is the bias: %s\n",
              silent.value()(3, 1, 5) == attention.output.bias.value()(5) ? "yes" : "no");

  // A whole layer as in MulT: norms, cross-attention, feed-forward, residuals; here text of width 8 sees audio of 16.
  const CrossAttentionLayer<float> layer({.embed_dim = 8, .num_heads = 2, .hidden = 32, .memory_dim = 16}, random);
  std::printf("a cross-attention layer: %s\n",
              to_string(layer(task.question, task.frames, task.present).shape()).c_str());
  return found > 0.8 && absent == 0 ? 0 : 1;
}
