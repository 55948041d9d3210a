/* The same from C: cc predictor.c -llacuna_predict */
#include <lacuna/zoo/lacuna.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
  lacuna_predictor* predictor = lacuna_create(argc > 1 ? argv[1] : "model.lacuna");
  if (!predictor) return fprintf(stderr, "predictor: %s\n", lacuna_last_error()), 1;
  const int64_t inputs = lacuna_inputs(predictor);
  float** frames = calloc((size_t)inputs, sizeof *frames);
  int64_t* counts = calloc((size_t)inputs, sizeof *counts);
  for (int64_t i = 0; i < inputs; ++i) {
    const int64_t numbers = lacuna_input_features(predictor, i);
    frames[i] = malloc((size_t)numbers * sizeof(float));
    for (int64_t k = 0; k < numbers; ++k) frames[i][k] = 0.25f; /* yours: frame after frame */
  }
  for (int64_t without = -1; without < inputs; ++without) {
    double value;
    for (int64_t i = 0; i < inputs; ++i) counts[i] = i != without; /* frames; 0: absent */
    if (lacuna_predict(predictor, (const float* const*)frames, counts, &value, NULL))
      return fprintf(stderr, "predictor: %s\n", lacuna_last_error()), 1;
    if (without < 0)
      printf("all: %.9g\n", value);
    else
      printf("without %s: %.9g\n", lacuna_input_name(predictor, without), value);
  }
  for (int64_t i = 0; i < inputs; ++i) free(frames[i]);
  free(frames), free(counts);
  lacuna_destroy(predictor);
  return 0;
}
