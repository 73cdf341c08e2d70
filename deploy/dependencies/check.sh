#!/usr/bin/env bash
# Runs the runtime's tests with the oldest and with the newest NumPy, Pillow and safetensors that pyproject.toml
# allows, on the package that `make types` has installed into build/types. $VENV is the environment of development.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${VENV:-.venv}/bin/python

if [[ ! -d build/types/bnas_deploy ]]; then
  echo "check dependencies: there is no build/types (make types makes it)" >&2
  exit 1
fi

wanted() {  # the dependencies, each with the given sign before its lowest version
  "$python" - "$1" <<'PYTHON'
import sys
from importlib.metadata import requires

print(*(each.replace(">=", sys.argv[1]) for each in requires("bnas-deploy") or [] if ";" not in each), sep="\n")
PYTHON
}

try_with() {  # name, sign
  local folder=build/dependencies/$1
  wanted "$2" >"build/dependencies/$1.txt"
  "$python" -m venv --clear "$folder"
  if ! "$folder/bin/python" -m pip install --quiet --only-binary :all: -r "build/dependencies/$1.txt"; then
    echo "check dependencies: skipped, this Python has no wheels of the $1:" $(<"build/dependencies/$1.txt")
    return
  fi
  "$folder/bin/python" -m pip install --quiet hypothesis pytest pytest-benchmark
  echo "check dependencies: the $1," $("$folder/bin/python" -m pip list 2>/dev/null | grep -iE '^(numpy|pillow|safetensors) ')
  # Not as a module: this would put the sources, which lack the kernels, before the package. Processes of tests
  # import those by their place in the sources.
  PYTHONPATH=$PWD/build/types:$PWD "$folder/bin/pytest" -q -p no:cacheprovider tests/runtime tests/bulk tests/cli/run
}

mkdir -p build/dependencies
try_with oldest ==
try_with newest '>='
