"""rewrite_safetensors.py FROM TO: the same tensors, as the library of the format writes them."""
import sys

from safetensors.numpy import load_file, save_file

tensors = load_file(sys.argv[1])
assert tensors and all(t.dtype == "float32" for t in tensors.values()), sys.argv[1]
save_file(tensors, sys.argv[2])
