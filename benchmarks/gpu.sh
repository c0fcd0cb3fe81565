#!/usr/bin/env bash
# Training samples a second on one GPU, all in one call: benchmarks/gpu.sh [OUT]. Toy size on a CPU: SECONDS_EACH=1 DEVICE=cpu.
set -euo pipefail
cd "$(dirname "$0")/.."
OUT=${1:-runs/gpu}
DEVICE=${DEVICE:-cuda}
SECONDS_EACH=${SECONDS_EACH:-20}
ROUNDS=${ROUNDS:-3}
PYTHON=${PYTHON:-.venv/bin/python}
mkdir -p "$OUT"
"$PYTHON" -m hipjsw.doctor || true
for VIEW in ${VIEWS:-coarse study}; do
  "$PYTHON" benchmarks/training.py --device "$DEVICE" --view "$VIEW" --seconds "$SECONDS_EACH" --rounds "$ROUNDS" \
    --out "$OUT/training-$VIEW.md"
done
# What the study's final training would take: 23,544 hips, 50 epochs, projected from the last line of its view's table.
tail -1 "$OUT"/training-*.md
