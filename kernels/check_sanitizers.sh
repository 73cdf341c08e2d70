#!/usr/bin/env bash
# Builds the self-tests and the C library's tests with each sanitizer and runs them, and some of Python's tests with
# the module under the first. Names of sanitizers as arguments choose: kernels/check_sanitizers.sh thread.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python

# GCC has no MemorySanitizer; Clang's wants a standard library that it has compiled itself, so only what is in
# headers is known to it: the tests that use no more than that are run.
check() {
  local sanitizers=$1 compiler=$2 tests=$3 folder=build/sanitize/${1//,/-}
  cmake -S . -B "$folder" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1 \
    -DBNAS_SANITIZE=ON -DBNAS_SANITIZERS="$sanitizers" -DBNAS_SELFTEST=ON -DBNAS_C_API=ON -DBNAS_PYTHON=OFF >/dev/null
  cmake --build "$folder" --parallel "$(nproc)" >/dev/null
  ctest --test-dir "$folder" --output-on-failure --tests-regex "$tests"
}

# The module, with the package beside it, in a folder of its own.
check_python() {
  local folder=build/sanitize/python
  cmake -S . -B "$folder" -DCMAKE_CXX_COMPILER=g++ -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O1 -DBNAS_SANITIZE=ON \
    -DBNAS_C_API=OFF -DBNAS_PYTHON=ON -Dpybind11_DIR="$("$python" -m pybind11 --cmakedir)" \
    -DPython_EXECUTABLE="$PWD/$python" >/dev/null
  cmake --build "$folder" --parallel "$(nproc)" >/dev/null
  rm -rf "$folder/package"
  mkdir "$folder/package"
  cp -r bnas_deploy converters "$folder/package/"
  cp "$folder"/_kernels*.so "$folder/package/bnas_deploy/"
  # The interpreter itself leaks what it keeps to its end.
  LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)" ASAN_OPTIONS=detect_leaks=0 \
    "$python" - "$PWD/$folder/package" tests/kernels/test_bindings.py tests/kernels/test_special_floats.py <<'PYTHON'
import sys

package, *tests = sys.argv[1:]
# An editable install would find the other module first.
sys.meta_path[:] = [finder for finder in sys.meta_path if "Redirecting" not in type(finder).__name__]
sys.path.insert(0, package)
import bnas_deploy._kernels
import pytest

assert bnas_deploy._kernels.__file__.startswith(package), bnas_deploy._kernels.__file__
sys.exit(pytest.main(["-q", *tests]))
PYTHON
}

chosen=("$@")
[ ${#chosen[@]} -gt 0 ] || chosen=(address,undefined thread memory python)
for sanitizers in "${chosen[@]}"; do
  echo "sanitize: $sanitizers"
  case $sanitizers in
    python) check_python ;;
    memory)
      if command -v clang++ >/dev/null; then
        check memory clang++ '^(compare_isas|exact_fma)$'
      else
        echo 'sanitize: memory is left out, for there is no clang++ (apt-get install clang)'
      fi
      ;;
    *) check "$sanitizers" g++ . ;;
  esac
done
