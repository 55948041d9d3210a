#!/usr/bin/env python3
"""Runs a PyTorch peer as it is, and adds to the line of JSON that it prints what it took of the GPU's memory.

  torch_cuda_memory.py PEER.py WORKLOAD --device cuda [...]

  device_memory_mb     the most that torch's allocator held, used and kept (torch.cuda.max_memory_reserved)
  device_allocated_mb  the most that tensors took of it
  device_used_mb       memory of the GPU that is taken at the end, programs and libraries included

LACUNA_BENCH_PRECISION in the environment, full, tf32 or bf16, is how torch multiplies floats: the settings highest,
high and medium of torch.set_float32_matmul_precision.
"""
import contextlib, io, json, os, runpy, sys

if len(sys.argv) < 3:
    sys.exit(__doc__)
sys.argv = sys.argv[1:]
import torch

torch.set_float32_matmul_precision(
    {"full": "highest", "tf32": "high", "bf16": "medium"}[os.environ.get("LACUNA_BENCH_PRECISION", "full")])
out = io.StringIO()
with contextlib.redirect_stdout(out):
    runpy.run_path(sys.argv[0], run_name="__main__")
lines = out.getvalue().strip().splitlines()
line = json.loads(lines[-1])

if torch.cuda.is_available():
    free, total = torch.cuda.mem_get_info()
    line["device_memory_mb"] = round(torch.cuda.max_memory_reserved() / 2**20, 1)
    line["device_allocated_mb"] = round(torch.cuda.max_memory_allocated() / 2**20, 1)
    line["device_used_mb"] = round((total - free) / 2**20, 1)
print("\n".join(lines[:-1] + [json.dumps(line)]))
