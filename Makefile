# Every target makes .venv from the machine's python3 and the hash-pinned lock; a second run costs nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
# slipcover warns that it cannot rewrite pytest's own cache; tests are not what it measures here
OWN_WARNINGS := -W 'ignore:Unable to activate pytest branch coverage:RuntimeWarning' -W ignore::pytest.PytestAssertRewriteWarning
STAMP := $(VENV)/.installed-$(shell cksum < $(LOCK) | tr ' ' '-')
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check simulate nightly bench serve format lock clean

help: ## Show the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(STAMP):
	@command -v $(PYTHON) >/dev/null || { echo "python3 (3.11 or newer) is needed" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "python3 has no venv module here; on Debian it is the package python3-venv" >&2; exit 2; }
	@echo "Making $(VENV) from $(LOCK), once: one to five minutes, by your network"
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

demo: $(STAMP) ## Tell the whole story against the twins (KEEP=1 leaves everything running)
	$(BIN)/timerabbit-conta demo $(if $(filter-out 0 no false,$(KEEP)),--keep,)

test: $(STAMP) ## Run every test on a real PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

coverage: $(STAMP) ## Run all but the stories under coverage, and hold it to its bar
	$(BIN)/python -m slipcover --json --out .coverage.json -m pytest -n 2 --dist loadgroup --ignore tests/stories $(OWN_WARNINGS) $(ARGS)
	$(BIN)/python tests/covered.py .coverage.json

check: $(STAMP) ## Lint, format, types, layers, documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app tests
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -q tests/test_docs.py tests/test_architecture.py

simulate: $(STAMP) ## Play draft worlds from seeds, in pieces of 400 (SEEDS=800 FIRST=1)
	SEEDS=$(or $(SEEDS),800) FIRST=$(or $(FIRST),1) $(BIN)/python -m pytest -q -n 2 --dist loadgroup tests/simulation $(ARGS)

nightly: $(STAMP) ## Play 20,000 draft worlds that no night before has played, and bill two million hours as we and as Conta reckon
	THOUSANDS=2000 $(BIN)/python -m pytest -q tests/rules/test_lines.py tests/rules/test_conta_reckons_alike.py -k thousand
	$(MAKE) simulate SEEDS=20000 FIRST=$(or $(FIRST),$(shell expr $$(date +%Y%j) \* 20000)) ARGS="-k every_world $(ARGS)"

bench: $(STAMP) ## Measure the ratios and write bench/results.json
	$(BIN)/timerabbit-conta bench

serve: $(STAMP) ## Run twins, service and worker for development, with pages to click
	$(BIN)/timerabbit-conta demo --serve

format: $(STAMP) ## Format and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(STAMP) ## Renew the three lock files from pyproject.toml (needs pip-tools on the PATH)
	pip-compile -q --generate-hashes --allow-unsafe --no-strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --no-header -o requirements.lock pyproject.toml
	pip-compile -q --generate-hashes --allow-unsafe --no-strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --no-header --extra dev --extra embedded -c requirements.lock -o requirements-dev.lock pyproject.toml
	pip-compile -q --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --no-header --only-build-deps --build-deps-for wheel -c requirements-dev.lock -o requirements-build.lock pyproject.toml

clean: ## Remove the environment and the embedded database
	rm -rf $(VENV) .data .coverage* .mypy_cache .ruff_cache .pytest_cache
