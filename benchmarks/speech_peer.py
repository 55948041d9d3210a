#!/usr/bin/env python3
"""The transformers side of benchmarks/speech: the same shapes, the same weights by formula, written as a good user of
PyTorch and transformers would write it: no gradient, attention by scaled_dot_product_attention, a key-value cache.

  encoder SECONDS TYPE          WavLM-Large; f32 | bf16
  decoder SHAPE TYPE TOKENS     qwen0.5b | 1.1b | 7b; f32 | bf16; a prompt of 128 ids, then greedy search at batch 1

Prints one JSON object with the keys of our program. Needs torch, transformers, numpy; called by benchmarks/compare_speech.
"""
import argparse, json, resource, statistics, time
import numpy as np
import torch

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
SHAPES = {  # vocabulary, hidden, inner, layers, heads, key heads
    "qwen0.5b": (151936, 896, 4864, 24, 14, 2),
    "1.1b": (32000, 2048, 5632, 22, 32, 4),
    "7b": (32000, 4096, 11008, 32, 32, 32),
}


def by_formula(name, shape):
    """Element i of tensor NAME is a hash of both: float32, the oracle's formula."""
    h = 14695981039346656037
    for byte in name.encode():
        h = ((h ^ byte) * 1099511628211) & (2 ** 64 - 1)
    fan = int(np.prod(shape[1:])) if len(shape) > 1 else 1
    scale, offset = .1, 0
    if "weight_g" in name or "original0" in name or "gru_rel_pos_const" in name or ("norm" in name and name.endswith("weight")):
        offset = 1
    elif len(shape) >= 2:
        scale = 1. if "rel_attn_embed" in name else .02 if "embed_tokens" in name else (3 / fan) ** .5
    count = int(np.prod(shape))
    result = np.empty(count, np.float32)
    for begin in range(0, count, 1 << 20):
        end = min(begin + (1 << 20), count)
        with np.errstate(over="ignore"):
            x = np.arange(begin, end, dtype=np.uint64)
            x += np.uint64(h)
            x += np.uint64(0x9E3779B97F4A7C15)
            x ^= x >> np.uint64(30)
            x *= np.uint64(0xBF58476D1CE4E5B9)
            x ^= x >> np.uint64(27)
            x *= np.uint64(0x94D049BB133111EB)
            x ^= x >> np.uint64(31)
            x >>= np.uint64(11)
        result[begin:end] = offset + (x.astype(np.float64) / 2. ** 53 * 2 - 1) * scale
    return torch.from_numpy(result.reshape(shape))


@torch.no_grad()
def fill(model, prefix, dtype):
    """Tensor after tensor, so that memory never holds more than the model and one of them."""
    model.to_empty(device="cpu")
    for name, parameter in model.named_parameters():
        if name == "masked_spec_embed":
            parameter.data = torch.zeros(parameter.shape, dtype=dtype)
        else:
            parameter.data = by_formula(name if name.startswith("lm_head") else prefix + name, tuple(parameter.shape)).to(dtype)
    return model.eval()


def gigabytes():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1048576, 2)


def timed(call):
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall, time.process_time() - cpu, result


@torch.inference_mode()
def encoder(seconds, kind, calls):
    from transformers import WavLMConfig, WavLMModel
    config = WavLMConfig(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096,
                         do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=False, num_buckets=320,
                         max_bucket_distance=800, apply_spec_augment=False, layerdrop=0.)
    with torch.device("meta"):
        model = WavLMModel(config)
    model = fill(model, "", TYPES[kind])
    wave = np.sin(.05 * (np.arange(int(seconds * 16000)) % 977)).astype(np.float32)
    x = torch.from_numpy((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7))[None].to(TYPES[kind])
    model(x[:, :16000])
    runs = [timed(lambda: model(x).last_hidden_state) for _ in range(calls)]
    return {"workload": "wavlm-large-" + kind, "seconds_of_sound": seconds, "seconds": round(min(r[0] for r in runs), 4),
            "cpu_s": round(min(r[1] for r in runs), 4), "mean_abs": round(float(runs[0][2].float().abs().mean()), 6)}


@torch.inference_mode()
def decoder(shape, kind, tokens):
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM
    vocabulary, hidden, inner, layers, heads, key_heads = SHAPES[shape]
    qwen = shape.startswith("qwen")
    config = (Qwen2Config if qwen else LlamaConfig)(
        vocab_size=vocabulary, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=layers, num_attention_heads=heads,
        num_key_value_heads=key_heads, rms_norm_eps=1e-6 if qwen else 1e-5, tie_word_embeddings=qwen,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6 if qwen else 1e4})
    with torch.device("meta"):
        model = (Qwen2ForCausalLM if qwen else LlamaForCausalLM)(config)
    rotary = type(model.model.rotary_emb)(config=config)  # its frequencies are made, not stored
    model = model.to(TYPES[kind])  # still without memory
    model = fill(model, "", TYPES[kind])
    model.tie_weights()
    model.model.rotary_emb = rotary
    prompt = torch.tensor([[i * 37 % 20000 for i in range(128)]])

    def first():
        out = model(prompt, use_cache=True, logits_to_keep=1)
        return out.past_key_values, int(out.logits[0, -1].argmax())

    first()
    wall, cpu, (cache, token) = timed(first)
    said, walls, cpus = [token], [], []
    for _ in range(tokens - 1):
        step = timed(lambda: model(torch.tensor([[said[-1]]]), past_key_values=cache, use_cache=True))
        said.append(int(step[2].logits[0, -1].argmax()))
        walls.append(step[0])
        cpus.append(step[1])
    return {"workload": shape + "-" + kind, "first_token_s": round(wall, 4), "first_token_cpu_s": round(cpu, 4),
            "token_s": round(statistics.median(walls), 5), "token_cpu_s": round(statistics.median(cpus), 5), "said": said[:8]}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("what", choices=["encoder", "decoder"])
    options.add_argument("rest", nargs="+")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--calls", type=int, default=3, help="of the encoder")
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    if o.what == "encoder":
        line = encoder(float(o.rest[0]), o.rest[1], o.calls)
    else:
        line = decoder(o.rest[0], o.rest[1], int(o.rest[2]))
    print(json.dumps(dict(line, threads=o.threads, peak_gb=gigabytes())))


if __name__ == "__main__":
    main()
