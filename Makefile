# Every chore of this project. "make" alone lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test tests lint lint-types lint-rest test-database format bench chaos docs plugin clean lock install develop
.SILENT:

PY := .venv/bin/python
UV_COMPILE := UV_SYSTEM_CERTS=1 UV_CUSTOM_COMPILE_COMMAND="make lock" .venv/tools/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate
TESTS ?=
# One more than two processors: a test that waits for a browser, a lease or the disk leaves its own to another.
WORKERS ?= 3
# Compiled modules are kept even where the shell says otherwise: every process that tests start would compile all of them again.
export PYTHONDONTWRITEBYTECODE :=

help:
	echo "Regulars: the CRM and workflow engine for online shops"
	echo
	echo "  make demo    install, start everything with a real shop's data, and say where to look (Ctrl-C ends it)"
	echo "  make test    install what tests need and run all of them: types, lint, imports, unit, database, browser"
	echo "  make lint    only types, lint, import contracts and migrations"
	echo "  make bench   measure speed at scale on this machine and print it beside its limits"
	echo "  make chaos   kill workers and the database at random for some minutes; nothing may be lost"
	echo "  make docs    build the documentation into site/"
	echo "  make plugin  pack the WordPress plugin into build/regulars-for-woocommerce.zip"
	echo "  make format  bring the code into the house's format"
	echo "  make lock    choose newer versions of everything and lock them"
	echo "  make clean   remove .venv, caches and the demo's data"
	echo
	echo "  PORT, REGULARS_HOME (data folder) and DATABASE_URL change the obvious things; see docs/settings.md."

install:
	tools/install product

develop:
	tools/install develop

demo: install
	$(PY) -m demo

# Types take one processor for a minute or two: all else is done beside them.
test: develop
	tools/browser
	$(MAKE) --no-print-directory --jobs=2 lint-types tests || \
		{ echo "Something of the above is wrong: types, lint or tests." >&2; exit 1; }

tests: lint-rest test-database
	$(PY) -m pytest -n $(WORKERS) --dist loadgroup $(TESTS)

lint: develop
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint-types lint-rest

# Migrated once and kept for the tests of this and later runs.
test-database:
	$(PY) -m tests.database

lint-types:
	.venv/bin/mypy

lint-rest:
	.venv/bin/ruff check --quiet .
	.venv/bin/ruff format --check --quiet . || { echo "Some files are not in the house's format: run 'make format'." >&2; exit 1; }
	.venv/bin/lint-imports
	DJANGO_SETTINGS_MODULE=regulars.config.settings $(PY) -m tests.migrations

format: develop
	.venv/bin/ruff check --quiet --fix-only .
	.venv/bin/ruff format --quiet .

bench: develop
	$(PY) -m bench

chaos: develop
	$(PY) -m chaos

docs: develop
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --strict
	echo "The documentation is in site/index.html"

plugin:
	PYTHONPATH=src python3 -m regulars.connections.woocommerce.plugin_zip build/regulars-for-woocommerce.zip
	echo "The WordPress plugin is build/regulars-for-woocommerce.zip"

lock: develop
	echo uv | $(UV_COMPILE) --upgrade - -o requirements/uv.txt
	$(UV_COMPILE) --upgrade pyproject.toml -o requirements/product.txt
	$(UV_COMPILE) --upgrade pyproject.toml --group dev --group docs -c requirements/product.txt -o requirements/develop.txt
	cd requirements/sdk && npm update --package-lock-only --ignore-scripts --silent

clean:
	tools/clean
