/* Predictions of a stored lacuna model from C, and from every language that can call C.
 *
 *     lacuna_predictor* predictor = lacuna_create("mosi.lacuna");
 *     if (!predictor) { puts(lacuna_last_error()); return 1; }
 *     const float* frames[] = {audio, NULL, text};          one place per input; NULL: absent
 *     const int64_t counts[] = {40, 0, 12};                 frames of each
 *     double value;
 *     if (lacuna_predict(predictor, frames, counts, &value, NULL)) puts(lacuna_last_error());
 *     lacuna_destroy(predictor);
 *
 * Frames are float32, frame after frame, each with the features of its input, in the order of the inputs; nothing of
 * them is kept. A predictor does not change: any number of threads may use one at once. Nothing is thrown through
 * these functions. Link the library lacuna_predict.
 */
#ifndef LACUNA_ZOO_LACUNA_H
#define LACUNA_ZOO_LACUNA_H

#include <stdint.h>

#if defined(__GNUC__)
#define LACUNA_API __attribute__((visibility("default")))
#else
#define LACUNA_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lacuna_predictor lacuna_predictor;

/* The model in this file; NULL when it cannot be loaded: lacuna_last_error says why. */
LACUNA_API lacuna_predictor* lacuna_create(const char* path);
/* NULL is allowed. */
LACUNA_API void lacuna_destroy(lacuna_predictor* predictor);

/* What went wrong last in the calling thread, one line; "" when nothing did. Valid until its next call. */
LACUNA_API const char* lacuna_last_error(void);

/* How many inputs there are. */
LACUNA_API int64_t lacuna_inputs(const lacuna_predictor* predictor);
/* Of input 0, 1, ...: its name, the numbers of one frame, and whether the model was trained for its absence (1 or 0).
 * NULL, -1 and -1 for a number that is none. */
LACUNA_API const char* lacuna_input_name(const lacuna_predictor* predictor, int64_t input);
LACUNA_API int64_t lacuna_input_features(const lacuna_predictor* predictor, int64_t input);
LACUNA_API int lacuna_input_may_be_missing(const lacuna_predictor* predictor, int64_t input);

/* K of class ids 0..K-1, 0 for a real label. */
LACUNA_API int64_t lacuna_classes(const lacuna_predictor* predictor);
/* NULL where the model knows no names. */
LACUNA_API const char* lacuna_class_name(const lacuna_predictor* predictor, int64_t id);

/* One sample. frames[i] holds frames_count[i] frames of input i; NULL or 0: absent. value: a real label, or a class id.
 * probabilities: K places, or NULL. 0: done; 1: not, and nothing is written. */
LACUNA_API int lacuna_predict(const lacuna_predictor* predictor, const float* const* frames,
                              const int64_t* frames_count, double* value, double* probabilities);

#ifdef __cplusplus
}
#endif

#endif
