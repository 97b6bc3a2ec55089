# `make run` and `make test` do all set-up themselves; all they need is this file, a shell and Python 3.11 or newer.
.DEFAULT_GOAL := help
.PHONY: help run test check bench setup setup-dev python lock css format clean
SHELL := /bin/sh
PY := .venv/bin/python
# A candidate must run, be new enough and be able to make virtual environments: version managers leave dead shims.
PROBE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
CANDIDATES := $(PYTHON) python3 python3.13 python3.12 python3.11 /usr/bin/python3 python
export PYTHONUTF8 := 1
# Compiled once and kept apart from the source, whatever the machine says: without it each process compiles 2,000 modules.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile

run: setup ## Start everything on this machine (PORT=8000, DATA_DIR=.data); Ctrl-C stops it
	@STOP_WITH_PARENT=1 exec $(PY) manage.py up

test: setup-dev ## Run all tests on servers and data of their own (ARGS="-k name" for some)
	@$(PY) -m instagrowth.embedded.chromium || { [ -z "$$CI" ] || exit 1; }
	@exec $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup-dev ## Look at format, lint, types, import direction, migrations, deployment, CSS, locks
	@exec $(PY) -m instagrowth.check

bench: setup-dev ## Measure the figures of the README, one JSON object a line
	@exec $(PY) -m bench $(ARGS)

setup: ## Make .venv hold what requirements.txt names
	@$(call bootstrap,requirements.txt)

setup-dev: ## The same, and what the tests and checks need
	@$(call bootstrap,requirements.txt requirements-dev.txt)

format: setup-dev ## Format the code
	@$(PY) -m ruff format -q . && $(PY) -m ruff check -q --fix .

css: setup-dev ## Compile the style sheet
	@.venv/bin/tailwindcss -i templates/app.src.css -o static/app.css --minify

lock: setup-dev ## Resolve the requirements again and write the lock files (needs uv)
	@uv pip compile -q --generate-hashes --python-version 3.11 requirements.in -o requirements.txt
	@uv pip compile -q --generate-hashes --python-version 3.11 requirements-dev.in -o requirements-dev.txt

clean: ## Remove .venv, caches and test data; your own data in .data stays
	@rm -rf .venv .cache .test-data .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis staticfiles
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

define bootstrap
for python in $(CANDIDATES); do \
	if "$$python" -c '$(PROBE)' >/dev/null 2>&1; then exec "$$python" instagrowth/bootstrap.py $(1); fi; \
done; \
for python in $(CANDIDATES); do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		echo "$$python cannot make virtual environments: on Debian or Ubuntu, \`apt-get install python3-venv\` helps." >&2; exit 1; fi; \
done; \
echo "InstaGrowth needs Python 3.11, 3.12 or 3.13: on Debian or Ubuntu, \`apt-get install python3 python3-venv\` gives it." >&2; exit 1
endef
