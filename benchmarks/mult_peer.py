#!/usr/bin/env python3
"""The PyTorch side of mult-step (benchmarks/support/mult.hpp), written as a good PyTorch user would write it.

A training step of MulT at its authors' size on MOSI: B=16, unaligned streams of 50/375/500 frames with 768/5/20 features,
d=50, 10 heads, 4 layers, kernels of 5, causal masks as in MMSA, no positions; L1 loss, gradients cut at 0.6, Adam 2e-3.
Projections are packed, attention is scaled_dot_product_attention, masks are made once. Prints one JSON object like
the other peer; called by benchmarks/compare --peer.
"""
import argparse, json, resource, statistics, time
import torch, torch.nn as nn, torch.nn.functional as F


class Layer(nn.Module):
    def __init__(self, d, heads, p_attention):
        super().__init__()
        self.heads, self.p = heads, p_attention
        self.q, self.kv, self.out = nn.Linear(d, d), nn.Linear(d, 2 * d), nn.Linear(d, d)
        self.n0, self.n1 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.f1, self.f2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x, key, mask):
        b, t, d = x.shape
        h = d // self.heads
        normed = self.n0(x)
        other = normed if key is None else self.n0(key)
        q = self.q(normed).view(b, t, self.heads, h).transpose(1, 2)
        k, v = self.kv(other).view(b, -1, 2, self.heads, h).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=self.p if self.training else 0.0,
                                           is_causal=mask is None)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, d))
        return x + self.f2(F.relu(self.f1(self.n1(x))))


class Stack(nn.Module):
    def __init__(self, d, heads, layers, p_attention, p_embedding, queries, keys):
        super().__init__()
        self.layers = nn.ModuleList(Layer(d, heads, p_attention) for _ in range(layers))
        self.norm, self.p, self.scale = nn.LayerNorm(d), p_embedding, d ** .5
        mask = torch.ones(queries, keys, dtype=torch.bool).tril(abs(keys - queries)) if queries != keys else None
        self.register_buffer("mask", mask)

    def forward(self, x, key=None):
        x = F.dropout(self.scale * x, self.p, self.training)
        key = key if key is None else F.dropout(self.scale * key, self.p, self.training)
        for layer in self.layers:
            x = layer(x, key, self.mask)
        return self.norm(x)


class MulT(nn.Module):
    def __init__(self, dims, frames, d=50, heads=10, layers=4, p=(.3, .2, 0.), embedding=.2, text=.5, out=.5):
        super().__init__()
        self.p_text, self.p_out = text, out
        t = [n - 4 for n in frames]
        self.conv = nn.ModuleList(nn.Conv1d(m, d, 5, bias=False) for m in dims)
        self.pairs = nn.ModuleDict({f"{m}{n}": Stack(d, heads, layers, p[n], embedding, t[m], t[n])
                                    for m in range(3) for n in range(3) if m != n})
        self.memory = nn.ModuleList(Stack(2 * d, heads, max(layers, 3), p[0], embedding, n, n) for n in t)
        self.proj1, self.proj2, self.score = nn.Linear(6 * d, 6 * d), nn.Linear(6 * d, 6 * d), nn.Linear(6 * d, 1)

    def forward(self, xs):
        xs = [F.dropout(xs[0], self.p_text, self.training)] + xs[1:]
        xs = [c(x.transpose(1, 2)).transpose(1, 2) for c, x in zip(self.conv, xs)]
        last = []
        for m in range(3):
            both = torch.cat([self.pairs[f"{m}{n}"](xs[m], xs[n]) for n in range(3) if n != m], -1)
            last.append(self.memory[m](both)[:, -1])
        f = torch.cat(last, -1)
        return self.score(f + self.proj2(F.dropout(F.relu(self.proj1(f)), self.p_out, self.training)))


class MultStep:
    def __init__(self, dev, compile_, b=16, frames=(50, 375, 500), dims=(768, 5, 20)):
        self.x = [torch.randn(b, n, d, device=dev) for n, d in zip(frames, dims)]
        self.y = torch.randn(b, 1, device=dev)
        self.net = MulT(dims, frames).to(dev).train()
        self.fwd = torch.compile(self.net) if compile_ else self.net
        self.opt = torch.optim.Adam(self.net.parameters(), 2e-3)

    def __call__(self):
        self.opt.zero_grad(set_to_none=True)
        F.l1_loss(self.fwd(self.x), self.y).backward()
        nn.utils.clip_grad_value_(self.net.parameters(), .6)
        self.opt.step()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("workload", choices=["mult-step"])
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--compile", action="store_true")
    p.add_argument("--device", default="cpu")
    o = p.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(o.threads)
    step = MultStep(torch.device(o.device), o.compile)
    sync = torch.cuda.synchronize if o.device == "cuda" else lambda: None
    step(), sync()  # a step takes seconds: one warms up, two are the least
    times, cpu, end = [], time.process_time(), time.perf_counter() + o.seconds
    while time.perf_counter() < end or len(times) < 2:
        t0 = time.perf_counter(); step(); sync(); times.append(time.perf_counter() - t0)
    cpu = (time.process_time() - cpu) / len(times)
    print(json.dumps({"workload": o.workload, "peer": f"torch {torch.__version__}{' compile' if o.compile else ''}", "device": o.device,
                      "median_ms": round(1e3 * statistics.median(times), 4), "min_ms": round(1e3 * min(times), 4), "reps": len(times),
                      "cpu_ms": round(1e3 * cpu, 4), "threads": o.threads, "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}))
