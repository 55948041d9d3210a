// train for both devices: train_cuda --device cuda.
#include "lacuna/cuda.cuh"
#include "train.cpp"
