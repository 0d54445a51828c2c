# Everything a fresh machine needs is Python 3.11 or newer with venv, pip and make.
#   make study    set-up, pretrained files, then a real study on embedded pictures with its best weights exported
#   make test     the same set-up with the development tools, then every check and test
#   make check    while writing: format, lint, types and the tests that train nothing, in under two minutes
PYTHON ?= python3
VENV ?= .venv
# A folder of its own, so that the locks come from pyproject.toml alone and not from what a developer has installed.
LOCK_VENV := build/lock-venv

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
LOCK_HEADER := \# Exact versions, written by `make lock` from pyproject.toml. Edit that, not this.
FREEZE := $(LOCK_VENV)/bin/python -m pip freeze --all --exclude pip --exclude styletuner

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: study test check bench lint weights install install-dev lock clean
.DELETE_ON_ERROR:

study: install weights
	mkdir -p demo
	$(BIN)/styletuner study run demo --storage demo/styletuner.db -o demo

# Two at a time, file by file: what trains a tiny network waits for one core, and what starts processes for their imports.
test: check
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m slow --durations 40

check: lint weights
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile -m "not slow"

bench: install weights
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/seed_spread.py demo

lint: install-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

weights: install
	$(BIN)/styletuner weights fetch

install: $(INSTALLED)

install-dev: $(INSTALLED_DEV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("styletuner needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock $(INSTALLED)
	$(BIN)/python -m pip install --quiet -r requirements-dev.lock
	@touch $@

# A local build's suffix (torch 2.13.0+cpu) is dropped: any build of that version will do.
lock:
	rm -rf build
	$(PYTHON) -m venv $(LOCK_VENV)
	$(LOCK_VENV)/bin/python -m pip install --quiet --upgrade pip 'setuptools>=80' wheel
	$(LOCK_VENV)/bin/python -m pip install --quiet .
	{ echo '$(LOCK_HEADER)'; $(FREEZE) | sed 's/+[a-z0-9.]*$$//'; } > $(LOCK_VENV)/requirements.lock
	$(LOCK_VENV)/bin/python -m pip install --quiet --group dev
	{ echo '$(LOCK_HEADER)'; echo '-r requirements.lock'; \
	  $(FREEZE) | sed 's/+[a-z0-9.]*$$//' | grep -vxFf $(LOCK_VENV)/requirements.lock; } > $(LOCK_VENV)/requirements-dev.lock
	$(LOCK_VENV)/bin/python -m pip install --quiet --group outside
	{ echo '$(LOCK_HEADER)'; echo '-r requirements.lock'; \
	  $(FREEZE) | sed 's/+[a-z0-9.]*$$//' | grep -vxF -f $(LOCK_VENV)/requirements.lock -f $(LOCK_VENV)/requirements-dev.lock; \
	} > $(LOCK_VENV)/requirements-outside.lock
	mv $(LOCK_VENV)/requirements*.lock .
	rm -rf build

# Keeps studies, exported weights and downloaded files.
clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
