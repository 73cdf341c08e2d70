#!/usr/bin/env bash
# Fuzzes so many seconds each (default 10): fuzz/run.sh [SECONDS [TARGET...]], where the targets are those in C++
# (default: all of them; resealed compiles the kernels, which takes minutes). Finds lie in fuzz-finds/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
targets=("${@:2}")
((${#targets[@]})) || targets=(json reader resealed resize)
python=${PYTHON:-${VENV:-.venv}/bin/python}
work=${FUZZ_DIR:-build/fuzz}
mkdir -p "$work/corpus" fuzz-finds

"$python" fuzz/seeds.py "$work/seeds"
if command -v clang++ >/dev/null; then
  cmake -S . -B "$work/build" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=None \
    -DCMAKE_CXX_FLAGS=-O1 -DBNAS_FUZZ=ON -DBNAS_PYTHON=OFF -DBNAS_C_API=OFF >/dev/null
  cmake --build "$work/build" --parallel "$(nproc)" --target "${targets[@]/#/fuzz_}" >/dev/null
  for target in "${targets[@]}"; do
    mkdir -p "$work/corpus/$target"
    echo "fuzz: $target (C++)"
    status=0
    "$work/build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=300 -rss_limit_mb=4096 -dict=fuzz/bnn.dict \
      -artifact_prefix=fuzz-finds/ -print_final_stats=1 "$work/corpus/$target" "$work/seeds/$target" \
      >"$work/$target.log" 2>&1 || status=$?
    grep -E 'stat::number_of_executed_units|stat::slowest_unit' "$work/$target.log" || true
    if ((status != 0)); then
      tail -n 40 "$work/$target.log"
      exit "$status"
    fi
  done
else
  echo 'fuzz: the C++ targets are left out, for there is no clang++ (apt-get install clang)'
fi
for target in reader resealed json pictures checkpoints onnx; do
  "$python" fuzz/loop.py "$target" "$seconds" --seeds "$work/seeds"
done
