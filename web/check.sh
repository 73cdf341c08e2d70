#!/usr/bin/env bash
# Puts the engine that kernels/check_wasm.sh has built into the npm package, tests the package in Node, checks its
# types and packs it into dist/; says what it could not do. The tests ask Python, that of $VENV, for the right answers.
set -euo pipefail
cd "$(dirname "$0")/.."

engine=build/wasm/web/bnas.wasm
most=256000  # bytes of engine and glue as a server sends them, gzipped
if [[ ! -f $engine ]]; then
  echo "check web: skipped, there is no $engine (kernels/check_wasm.sh makes it)"
  exit 0
fi
mkdir -p web/dist dist
cp "$engine" web/dist/
cp LICENSE web/  # npm packs what lies in the package's folder

size=$(($(gzip -9c "$engine" | wc -c) + $(cat web/src/*.js | gzip -9c | wc -c)))
echo "check web: engine and glue take $size bytes gzipped"
if ((size > most)); then
  echo "check web: they must take at most $most" >&2
  exit 1
fi

answers=$(mktemp -d)
trap 'rm -r "$answers"' EXIT
python=${VENV:-.venv}/bin/python
PYTHONPATH="tests${PYTHONPATH:+:$PYTHONPATH}" "$python" web/test/make_models.py "$answers"

cd web
if ! command -v chromium >/dev/null; then echo "check web: not tried in a browser (Debian: chromium)"; fi
BNAS_WEB_ANSWERS=$answers npm test --silent
if npm install --silent --no-package-lock --no-audit --no-fund; then
  npm run --silent types
else
  echo "check web: the types were not checked, TypeScript could not be installed"
fi
npm pack --silent --pack-destination ../dist
