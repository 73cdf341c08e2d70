#!/usr/bin/env bash
# Compiles the kernels for WebAssembly, with "threads" also those for pages that are cross-origin isolated, and runs
# their self-tests in Node; says what it could not do.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v em++ >/dev/null || ! command -v node >/dev/null; then
  echo "check_wasm: skipped, there is no em++ or no node (Debian: emscripten nodejs node-acorn)"
  exit 0
fi

# Where Debian has what optimised links parse JavaScript with.
export NODE_PATH=${NODE_PATH:-/usr/share/nodejs}
if command -v ccache >/dev/null; then export EM_COMPILER_WRAPPER=ccache; fi
PATH="$PWD/${VENV:-.venv}/bin:$PATH"

build() {  # folder, whether with threads
  emcmake cmake -S . -B "$1" -DBNAS_PYTHON=OFF -DBNAS_SELFTEST=ON -DBNAS_WERROR=ON \
    -DBNAS_WASM_THREADS="$2" >/dev/null
  cmake --build "$1" --parallel
  ctest --test-dir "$1" --output-on-failure
}

build build/wasm OFF
if [[ ${1:-} == threads ]]; then build build/wasm-threads ON; fi
