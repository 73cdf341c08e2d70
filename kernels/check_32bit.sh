#!/usr/bin/env bash
# Compiles the kernels for a 32-bit machine and runs their self-tests there; says what it could not do.
set -euo pipefail
cd "$(dirname "$0")/.."

compiler=${CXX32:-g++}
PATH="$PWD/${VENV:-.venv}/bin:$PATH"
# SSE, or else floats would be rounded as 80 bits; the headers of Linux lie where 64 bits look for them.
flags="-m32 -msse2 -mfpmath=sse -idirafter /usr/include/$(uname -m)-linux-gnu"
# shellcheck disable=SC2086
if ! echo '#include <system_error>
int main() {}' | "$compiler" $flags -x c++ - -o /dev/null 2>/dev/null; then
  echo "check_32bit: skipped, $compiler cannot compile for 32 bits (Debian: libc6-dev-i386 lib32stdc++-12-dev)"
  exit 0
fi

cmake -S . -B build/32bit -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=i686 -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_C_FLAGS="$flags" \
  -DBNAS_PYTHON=OFF -DBNAS_SELFTEST=ON -DBNAS_WERROR=ON >/dev/null
cmake --build build/32bit --parallel

ctest --test-dir build/32bit --output-on-failure
