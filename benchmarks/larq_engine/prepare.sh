#!/usr/bin/env bash
# Makes an environment with larq's engine, and networks of the Larq zoo, where they are not there yet.
# Usage: prepare.sh FOLDER NAME...; FOLDER gets env/ and networks/. Ends with a reason where it cannot.
set -euo pipefail
here=$(dirname "$0") folder=$1
shift
python=$folder/env/bin/python

if ! "$python" -c 'import larq_compute_engine' >/dev/null 2>&1; then
  if ! command -v python3.11 >/dev/null; then
    echo "prepare: larq's engine needs Python 3.11, and there is no python3.11" >&2
    exit 1
  fi
  echo "prepare: installing larq's engine with TensorFlow in $folder/env: some minutes"
  python3.11 -m venv "$folder/env"
  "$python" -m pip install --quiet "tensorflow-cpu==2.15.*" larq-compute-engine larq larq-zoo tf2onnx
fi

mkdir -p "$folder/networks"
for name in "$@"; do
  if [ ! -f "$folder/networks/$name.onnx" ]; then  # the last of its three files
    echo "prepare: making $name: some minutes"
    "$python" "$here/make_networks.py" "$folder/networks" "$name"
  fi
done
