// CorrKD against its reference arrays, on the GPU: the tests of the host, on another device.
#include "lacuna/cuda.cuh"
#define LACUNA_TEST_DEVICE lacuna::Cuda
#include "models/corrkd_oracle_test.cpp"
