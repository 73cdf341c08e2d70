#!/usr/bin/env bash
# Compiles the kernels for AArch64 and, where an emulator is there, runs their self-test; says what it could not do.
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=${AARCH64_CXX:-aarch64-linux-gnu-g++}
PATH="$PWD/${VENV:-.venv}/bin:$PATH"
if ! command -v "$compiler" >/dev/null; then
  echo "check_neon: skipped, there is no $compiler (Debian: g++-aarch64-linux-gnu)"
  exit 0
fi

cmake -S . -B build/neon -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_C_COMPILER="${AARCH64_CC:-aarch64-linux-gnu-gcc}" \
  -DCMAKE_EXE_LINKER_FLAGS=-static -DBNAS_PYTHON=OFF -DBNAS_SELFTEST=ON -DBNAS_WERROR=ON >/dev/null
cmake --build build/neon --parallel

if emulator=$(command -v qemu-aarch64-static || command -v qemu-aarch64); then
  "$emulator" build/neon/bnas_compare_isas
  "$emulator" build/neon/bnas_count_allocations
  "$emulator" build/neon/kernels/c_api/bnas_mutate_files 100 tests/format/golden_*.bnn
else
  echo "check_neon: compiled, not run (Debian: qemu-user-static)"
fi
