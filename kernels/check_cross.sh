#!/usr/bin/env bash
# Compiles the kernels for systems that are not here, by Zig's compiler (PyPI's ziglang), and runs their self-tests
# where Wine or an emulator is; says what it could not do. Without targets, all that the wheels are for.
set -euo pipefail
cd "$(dirname "$0")/.."

PATH="$PWD/${VENV:-.venv}/bin:$PATH"
if ! command -v python-zig >/dev/null; then
  echo "check_cross: skipped, there is no python-zig (PyPI: ziglang)"
  exit 0
fi
if (($# == 0)); then
  set -- x86_64-windows-gnu aarch64-macos x86_64-macos x86_64-linux-musl aarch64-linux-musl
fi

PATH="$PATH:/usr/lib/wine"  # where Debian has wine64
export WINEDEBUG=-all

emulator() {  # of a target: a command, nothing where it runs as it is, false where it cannot
  case $1 in
    "$(uname -m)"-linux-*) ;;
    aarch64-linux-*) command -v qemu-aarch64-static || command -v qemu-aarch64 ;;
    x86_64-windows-*) command -v wine64 ;;
    *) false ;;
  esac
}

for target in "$@"; do
  folder=build/cross/$target
  options=(-DCMAKE_TOOLCHAIN_FILE="$PWD/kernels/cross/zig.cmake" -DBNAS_TARGET="$target" -DBNAS_PYTHON=OFF
    -DBNAS_WERROR=ON)
  runs=no
  if with=$(emulator "$target"); then runs=yes; fi
  # What cannot be run need not be linked, which spares building the system's C++ library.
  if [[ $runs == yes ]]; then
    options+=(-DBNAS_SELFTEST=ON -DCMAKE_CROSSCOMPILING_EMULATOR="$with")
  else
    options+=(-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY)
  fi
  cmake -S . -B "$folder" "${options[@]}" >/dev/null
  if [[ $runs == yes ]]; then
    cmake --build "$folder" --parallel
    ctest --test-dir "$folder" --output-on-failure
  else
    cmake --build "$folder" --parallel --target bnas_static
    echo "check_cross: $target compiled, not run"
  fi
done
