# The developer's menu: `make help` lists it. Everything happens in $(VENV); nothing is installed elsewhere.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MODEL ?= models/bnas-mini.pt

.PHONY: help demo test selftest lint types format docs fuzz sanitize wasm web page bench bench-quick bench-serve \
  bench-web spellings wheel wheels wheel-pure try-wheel sdist address cross clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

# Kernel sources are a prerequisite: an editable install does not rebuild by itself.
SOURCES := pyproject.toml constraints.txt CMakeLists.txt $(shell find kernels examples/c -type f)

$(STAMP): $(SOURCES)
	@echo 'installing what development needs (PyTorch among it) and compiling the kernels: some minutes'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -Cbuild-dir=build/editable -Ccmake.define.BNAS_SELFTEST=ON -Ccmake.define.BNAS_C_API=ON -e '.[dev]'
	touch $@

demo: $(STAMP)  ## export the shipped checkpoint and name what is in a photograph
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python examples/demo.py $(MODEL)

test: selftest  ## run every test
	$(BIN)/python -m pytest

selftest: $(STAMP)  ## run the kernels' tests that need no Python: equal bits, no allocations, damaged files
	$(BIN)/ctest --test-dir build/editable --output-on-failure

lint: $(STAMP)  ## all linters, changing nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files 'kernels/*.cpp' 'kernels/*.h' 'fuzz/*.cpp' 'examples/*.c' | xargs $(BIN)/clang-format --dry-run --Werror
	$(BIN)/codespell
	$(BIN)/validate-pyproject pyproject.toml

format: $(STAMP)  ## let the formatters rewrite
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files 'kernels/*.cpp' 'kernels/*.h' 'fuzz/*.cpp' 'examples/*.c' | xargs $(BIN)/clang-format -i

# mypy must see the installed layout (bnas_deploy.converters), so a plain install is checked.
types: $(STAMP)  ## mypy --strict on the package as installed
	rm -rf build/types
	$(BIN)/python -m pip install --quiet --no-deps --target build/types -Cbuild-dir=build/wheel .
	cd build/types && MYPYPATH=. $(CURDIR)/$(BIN)/mypy --config-file $(CURDIR)/pyproject.toml -p bnas_deploy

# The generator reads the sources and imports none, so its environment is small and apart. The variable hides
# the notice that Material for MkDocs is maintained until May 2027.
DOCS_STAMP := build/docs-venv/.installed
$(DOCS_STAMP): pyproject.toml
	$(PYTHON) -m venv build/docs-venv
	$(PYTHON) -c "import re; print(*re.search(r'(?m)^docs = (.*)$$', open('pyproject.toml').read())[1][2:-2].split('\", \"'), sep='\n')" > build/docs-venv/wanted.txt
	build/docs-venv/bin/python -m pip install --quiet -r build/docs-venv/wanted.txt
	touch $@

docs: $(DOCS_STAMP)  ## build the docs as a site into build/site; a warning is an error
	NO_MKDOCS_2_WARNING=1 build/docs-venv/bin/mkdocs build --strict --quiet

SECONDS ?= 10
fuzz: $(STAMP)  ## fuzz the reader, the engine, JSON, resizing and Python's front ends, SECONDS=10 each
	VENV=$(VENV) fuzz/run.sh $(SECONDS) $(TARGETS)

sanitize: $(STAMP)  ## run the self-tests and some of Python's with address, undefined, thread and memory sanitizers
	VENV=$(VENV) kernels/check_sanitizers.sh

wasm:  ## build the engine for WebAssembly, with threads and without, and run its self-tests in Node
	VENV=$(VENV) kernels/check_wasm.sh threads

web: $(STAMP)  ## build the npm package into dist/, and test it in Node (wants Emscripten)
	VENV=$(VENV) kernels/check_wasm.sh
	VENV=$(VENV) web/check.sh

page: web/dist/bnas.wasm  ## serve the demo page on localhost
	cp models/bnas-mini.bnn web/dist/
	@echo 'http://127.0.0.1:8000/demo/ (Ctrl-C ends it)'
	$(PYTHON) -m http.server --directory web --bind 127.0.0.1 8000

web/dist/bnas.wasm: CMakeLists.txt web/CMakeLists.txt $(shell find kernels -type f)
	VENV=$(VENV) kernels/check_wasm.sh
	mkdir -p web/dist
	cp build/wasm/web/bnas.wasm web/dist/

# The rivals are large and only measured, so the tests do without them.
BENCH_STAMP := $(VENV)/.installed-bench
$(BENCH_STAMP): $(STAMP)
	$(BIN)/python -m pip install --quiet -c constraints.txt -Cbuild-dir=build/editable -e '.[dev,bench]'
	touch $@

MEASURE := $(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-quiet -q

# larq's engine needs Python 3.11 and TensorFlow 2.15, so its environment, with its networks, is apart. The
# report says so where there is none.
LARQ ?= build/larq
ZOO := quicknet-small quicknet birealnet binary-densenet28 real-to-binary
define AGAINST_LARQ
	rm -rf reports/larq
	benchmarks/larq_engine/prepare.sh $(LARQ) $(ZOO) && \
	  $(BIN)/python benchmarks/against_larq.py $(LARQ)/networks --networks $(ZOO) \
	  --python $(LARQ)/env/bin/python --out reports/larq --rounds $(1) || \
	  echo "bench: larq's Compute Engine is left out, for the reason above"
endef
REPORT = $(BIN)/python benchmarks/report.py $(1) $$(ls reports/larq/larq.json 2>/dev/null | sed 's/^/--larq /')

bench: $(BENCH_STAMP)  ## measure and write a report to reports/ (about 12 minutes; wants a quiet machine)
	mkdir -p reports
	$(MEASURE) --benchmark-json=reports/bench.json
	$(call AGAINST_LARQ,8)
	$(call REPORT,reports/bench.json)

bench-quick: $(BENCH_STAMP)  ## the same with few rounds, to try the benchmarks out; its figures mean little
	mkdir -p reports
	$(MEASURE) --quick --benchmark-json=reports/quick.json
	$(call AGAINST_LARQ,1)
	$(call REPORT,reports/quick.json) --out reports/quick

bench-serve: $(BENCH_STAMP)  ## measure bnas-serve under load beside ONNX Runtime (8 minutes; wants wrk, a quiet machine)
	$(BIN)/python benchmarks/under_load.py --out reports/serving.json
	$(BIN)/python benchmarks/under_load.py --out reports/serving.json --page reports/serving.md

# The rival is of npm; the models and the answers to check by are made anew, as the package may have changed.
# KIND is what the page calls the machine.
WEB_MODELS := build/bench-web/models
KIND ?= zen4
bench-web: $(BENCH_STAMP) web/dist/bnas.wasm  ## measure the npm package in Chromium, write docs/web-benchmarks.md (minutes)
	cd web/bench && npm install --silent --no-package-lock --no-audit --no-fund
	PYTHONPATH=benchmarks $(BIN)/python web/bench/make_models.py $(WEB_MODELS)
	mkdir -p docs/web-benchmarks
	node web/bench/run.js $(WEB_MODELS) docs/web-benchmarks/$(KIND).json
	$(BIN)/python web/bench/report.py docs/web-benchmarks/$(KIND).json docs/web-benchmarks.md docs/web-benchmarks/$(KIND).svg

spellings: $(STAMP)  ## try all spellings of binary layers with both of PyTorch's exporters (some minutes)
	PYTHONPATH=tests $(BIN)/python -m support.spellings -o docs/spellings.md

# What wheels are built by, without all that development needs.
BUILD_VENV := build/build-env
BUILD_STAMP := $(BUILD_VENV)/.installed
BUILD_BIN := $(BUILD_VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
$(BUILD_STAMP):
	$(PYTHON) -m venv $(BUILD_VENV)
	$(BUILD_BIN)/python -m pip install --quiet build cibuildwheel
	touch $@

wheel: $(BUILD_STAMP)  ## build a wheel for this machine into dist/
	$(BUILD_BIN)/python -m build --wheel --outdir dist .

wheel-pure: $(BUILD_STAMP)  ## build the wheel without kernels, for every machine
	BNAS_PURE_PYTHON=1 $(BUILD_BIN)/python -m build --wheel --outdir dist .

sdist: $(BUILD_STAMP)  ## build the archive of sources
	$(BUILD_BIN)/python -m build --sdist --outdir dist .

wheels: $(BUILD_STAMP)  ## build and try the wheels of all Pythons for this system (cibuildwheel; wants Docker on Linux)
	$(BUILD_BIN)/python -m cibuildwheel --output-dir dist

try-wheel:  ## install WHEEL=dist/… alone with what it needs, and name a picture (PYTHON says with which Python)
	rm -rf build/try-wheel
	$(PYTHON) -m venv build/try-wheel
	build/try-wheel/bin/python -m pip install --quiet $(WHEEL)
	cd build/try-wheel && bin/python -I ../../deploy/wheels/try_installed.py ../../models/bnas-mini.bnn

address:  ## write the repository's ADDRESS into metadata and READMEs, before a release is built (changes files)
	$(PYTHON) deploy/release/set_address.py "$(ADDRESS)" --ref "$(REF)"

cross:  ## compile the kernels for Windows, macOS and musl by Zig's compiler (pip install ziglang), run what can be
	VENV=$(VENV) kernels/check_cross.sh

clean:  ## remove what was built (the environment stays)
	rm -rf build dist
