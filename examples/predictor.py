"""The same from Python, by ctypes alone: python3 predictor.py liblacuna_predict.so model.lacuna"""
import ctypes
import sys

lacuna = ctypes.CDLL(sys.argv[1])
lacuna.lacuna_create.restype = ctypes.c_void_p
lacuna.lacuna_create.argtypes = [ctypes.c_char_p]
lacuna.lacuna_destroy.argtypes = [ctypes.c_void_p]
lacuna.lacuna_last_error.restype = ctypes.c_char_p
lacuna.lacuna_inputs.restype = ctypes.c_int64
lacuna.lacuna_inputs.argtypes = [ctypes.c_void_p]
lacuna.lacuna_input_name.restype = ctypes.c_char_p
lacuna.lacuna_input_name.argtypes = [ctypes.c_void_p, ctypes.c_int64]
lacuna.lacuna_input_features.restype = ctypes.c_int64
lacuna.lacuna_input_features.argtypes = [ctypes.c_void_p, ctypes.c_int64]
lacuna.lacuna_predict.argtypes = [ctypes.c_void_p] * 5


def fail():
    sys.exit("predictor: " + lacuna.lacuna_last_error().decode())


predictor = lacuna.lacuna_create(sys.argv[2].encode()) or fail()
names = [lacuna.lacuna_input_name(predictor, i).decode() for i in range(lacuna.lacuna_inputs(predictor))]
frames = []
for i in range(len(names)):
    numbers = [0.25] * lacuna.lacuna_input_features(predictor, i)  # yours: frame after frame
    frames.append((ctypes.c_float * len(numbers))(*numbers))
for without in [None] + names:
    pointers = (ctypes.c_void_p * len(names))(*map(ctypes.addressof, frames))
    counts = (ctypes.c_int64 * len(names))(*[int(name != without) for name in names])  # frames; 0: absent
    value = ctypes.c_double()
    if lacuna.lacuna_predict(predictor, pointers, counts, ctypes.byref(value), None):
        fail()
    print(f"{'all' if without is None else 'without ' + without}: {value.value:.9g}")
lacuna.lacuna_destroy(predictor)
