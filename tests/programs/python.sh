#!/usr/bin/env bash
# What Python's libraries write is read here, what is written here they read: NumPy, safetensors, torch, and onnxruntime, whose
# predictions are those of `lacuna predict`. Python is LACUNA_PYTHON, else python3; libraries that it lacks are named and left out.
# LACUNA_PYTHON_TORCH: another Python, for torch alone.
source "$LACUNA_SOURCE_DIR/tests/support/check.sh"
scripts=$LACUNA_SOURCE_DIR/tests/programs/python
python=${LACUNA_PYTHON:-$(command -v python3 || true)}
torch=${LACUNA_PYTHON_TORCH:-$python}
has() { [[ -n $1 ]] && "$1" -c "import $2" 2>/dev/null; }
has "$python" numpy || { echo "skipped: no Python with numpy (LACUNA_PYTHON)"; exit 77; }
export OMP_NUM_THREADS=1

"$python" "$scripts/make_sets.py"
tiny=(--quiet --threads 1 --draws 10)
# train SET MODEL... : the model's file is at $file
train() {
  local name=${2%%:*} epochs=(--epochs 1 --batch 8)
  [[ $name == ridge || $name == constant ]] && epochs=()
  "$lacuna" train --data "$1.npz" --model "$2" "${tiny[@]}" "${epochs[@]}" --dtype "$3" --out "out/$name-$1-$3" >/dev/null
  file=$(find "out/$name-$1-$3" -path "out/$name-$1-$3/$name*/seed-*/model.lacuna" | head -1)
}

# --- data: what convert writes, NumPy and safetensors read, and what they write again trains to the same bits
"$lacuna" convert real.npz copy.npz --quiet >/dev/null
"$python" "$scripts/same_arrays.py" real.npz copy.npz
if has "$python" safetensors; then
  "$lacuna" convert real.npz copy.safetensors --quiet >/dev/null
  "$python" "$scripts/same_arrays.py" real.npz copy.safetensors
else
  echo "skipped: safetensors is not installed for $python"
fi

# --- weights: there and back to the same bits, and as state dicts
train real sdumc:width=8:fused=8:contrast=4:simulator_width=8:simulator_epochs=1 f32
model=$file
"$lacuna" convert "$model" weights.safetensors >/dev/null
"$lacuna" convert weights.safetensors again.lacuna >/dev/null
same "$model" again.lacuna
"$lacuna" convert "$model" --out weights.pt >/dev/null
"$lacuna" convert weights.pt again.lacuna --like "$model" >/dev/null
same "$model" again.lacuna
printf '{"frame_dim_reshape_*.weight": "reshape.*.w", "fra2utt_*": "pool.*"}' >names.json
"$lacuna" convert "$model" named.pt --names names.json >/dev/null
"$lacuna" describe named.pt >named.txt
grep -q 'reshape.2.w ' named.txt || wrong "--names renamed nothing"
"$lacuna" convert named.pt again.lacuna --like "$model" --names names.json >/dev/null
same "$model" again.lacuna
refuses 1 "tensor 'fra2utt_0.input_proj.bias' is missing; the file has 'pool.0.*expected \(8\) of f32 for network.flows.pooling.0.key.bias" \
  "$lacuna" convert named.pt other.lacuna --like "$model"
refuses 2 "weights.pt does not say which model it belongs to; name it" "$lacuna" convert weights.pt other.lacuna
"$lacuna" convert weights.pt published.lacuna --model sdumc-published:imagination=input >/dev/null 2>notes.txt
grep -q 'streams are audio, text, video, simulated_text' notes.txt || wrong "the streams of --model are not said"
"$lacuna" convert published.lacuna published.pt >/dev/null
printf '{"*": "model.*"}' >names.json  # as the authors' checkpoints call them
"$lacuna" convert published.lacuna wrapped.pt --names names.json >/dev/null
"$lacuna" convert wrapped.pt unwrapped.lacuna --model sdumc-published:imagination=input >/dev/null 2>&1
"$lacuna" convert unwrapped.lacuna unwrapped.pt >/dev/null
same published.pt unwrapped.pt
train real mmin:width=8:hidden=8:ae_layers=8/4:blocks=2 f32
recurrent=$file
refuses 1 "tensor '.*' is missing" "$lacuna" convert weights.pt other.lacuna --like "$recurrent"
"$lacuna" convert "$recurrent" recurrent.pt >/dev/null
train real misa:width=8:hidden=8 f32
"$lacuna" convert "$file" attention.pt >/dev/null
if has "$torch" torch; then
  "$torch" "$scripts/torch_check.py" weights.pt published.pt recurrent.pt attention.pt
  "$lacuna" convert from_torch.pt again.lacuna --like "$model" >/dev/null
  same "$model" again.lacuna
else
  echo "skipped: torch is not installed for $torch (LACUNA_PYTHON_TORCH)"
fi
if has "$python" safetensors; then
  "$python" "$scripts/rewrite_safetensors.py" weights.safetensors rewritten.safetensors
  "$lacuna" convert rewritten.safetensors again.lacuna --like "$model" >/dev/null
  same "$model" again.lacuna
fi

# --- ONNX
refuses 1 "onnx: 'mctn' has no graph; there are those of constant" bash -c "
  \"$lacuna\" train --data real.npz --model mctn:hidden=4 ${tiny[*]} --epochs 1 --batch 8 --out out/mctn >/dev/null 2>&1
  \"$lacuna\" convert out/mctn/mctn_hidden=4/seed-1/model.lacuna mctn.onnx"
if ! has "$python" onnxruntime || ! has "$python" onnx; then
  echo "skipped: onnx and onnxruntime are not installed for $python"
  exit 0
fi
# check SET MODEL DTYPE [--own-batch]
check() {
  local tolerance=1e-5 probabilities=() gone without rows=()
  [[ $3 == f64 ]] && tolerance=1e-10
  [[ $1 == classes ]] && probabilities=(--probabilities)
  train "$1" "$2" "$3"
  "$lacuna" convert "$file" model.onnx >/dev/null
  for gone in - audio text video; do
    without=()
    [[ $gone == - ]] || without=(--missing "$gone")
    "$lacuna" predict --checkpoint "$file" --data "$1.npz" "${without[@]}" "${probabilities[@]}" --out "$gone.csv" 2>/dev/null
    rows+=("$gone=$gone.csv")
  done
  "$python" "$scripts/onnx_check.py" model.onnx "$1.npz" $tolerance "${rows[@]}" "${@:4}" || wrong "$2 $3 on $1"
}
sdumc=width=8:fused=8:contrast=4:simulator_width=8:simulator_epochs=1
corrkd=width=8:depth=1:num_heads=2
check real early-fusion:hidden=8 f32
check real ridge f32
check classes constant f64
check real sdumc:$sdumc f32
check classes sdumc-any:$sdumc:drop=none f64
check real sdumc-published:$sdumc f32 --own-batch
check real corrkd:$corrkd:teacher_epochs=1 f32
check real corrkd:$corrkd:labels=seven:one_vs_rest=1:distill=0:gap_mask=present:evidence=mean:presence=1 f64
check classes corrkd-robust:$corrkd:teacher_epochs=1 f64
check real modality-dropout-transformer:width=8:hidden=8:num_heads=2:layers=1 f64
check classes mmin:width=8:hidden=8:ae_layers=8/4:blocks=2 f64
check real tfn:hidden=8:text_hidden=4 f32
check classes lmf:text_hidden=4 f32
check real misa:width=8:hidden=8 f32
check real self-mm f32
check real mmim f32
check real cubemlp:width=4:mixer_frames=12:mixer_hidden=4/3/4:mixer_out=4/3/4:projected=1 f32
check classes mult:width=8:num_heads=2:layers=2 f32
check real lnln:width=8:num_heads=2:head_width=4:stream_frames=9/9/12 f32
