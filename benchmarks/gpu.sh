#!/usr/bin/env bash
# Training on one GPU, all in one call: benchmarks/gpu.sh [OUT]
# Toy size on a CPU: DEVICE=cpu ROUNDS=1 SUSTAINED=2 VIEWS=coarse benchmarks/gpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."
OUT=${1:-runs/gpu}
DEVICE=${DEVICE:-cuda}
ROUNDS=${ROUNDS:-80}
SUSTAINED=${SUSTAINED:-120}
PYTHON=${PYTHON:-.venv/bin/python}
mkdir -p "$OUT"
"$PYTHON" -m hipjsw.doctor || true
for VIEW in ${VIEWS:-study coarse}; do
  # bf16, channels_last and the training part on the GPU are what trainer=gpu says; the bare loops have the same.
  "$PYTHON" benchmarks/training.py --device "$DEVICE" --view "$VIEW" --rounds "$ROUNDS" \
    --out "$OUT/training-$VIEW.md"
  for COMPILE in "" --no-compile; do
    "$PYTHON" benchmarks/training.py --device "$DEVICE" --view "$VIEW" --sustained "$SUSTAINED" $COMPILE \
      | tee -a "$OUT/sustained.txt"
  done
done
cat "$OUT"/training-*.md "$OUT/sustained.txt"
