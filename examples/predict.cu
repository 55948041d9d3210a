// predict for both devices: predict_cuda --device cuda.
#include "lacuna/cuda.cuh"
#include "predict.cpp"
