// SDUMC against the authors' arrays, on the GPU: the tests of the host, on another device.
#include "lacuna/cuda.cuh"
#define LACUNA_TEST_DEVICE lacuna::Cuda
#include "models/sdumc_oracle_test.cpp"
