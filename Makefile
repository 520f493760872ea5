PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
# Hundreds of processes start in a test run; without compiled files each would compile everything again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## everything that the demo needs: virtual environment, Prometheus, Alertmanager, Chromium
	@$(PYTHON) scripts/setup.py demo

.PHONY: setup-test
setup-test:
	@$(PYTHON) scripts/setup.py test

.PHONY: demo
demo: setup ## a simulated platform with a month of history, Prometheus, Alertmanager and Flyball on top
	@exec $(BIN)/flyball demo

.PHONY: test
test: setup-test ## every test
	@$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not soak"

.PHONY: soak
soak: setup-test ## the long campaigns: crashes, fuzzing
	@$(BIN)/pytest -m soak
	@$(BIN)/pytest -m "not soak" --hypothesis-profile=thorough

.PHONY: check
check: setup-test ## lint, types, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: golden
golden: setup-test ## rewrite the golden files; review the difference as code
	@FLYBALL_GOLDEN=1 $(BIN)/pytest -q -k golden

.PHONY: bench
bench: setup-test ## measure, print ratios, keep them in benchmarks/
	@$(BIN)/python -m benchmarks

.PHONY: lock
lock: ## pin the dependencies by hash
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra clouds --extra browser --universal --python-version 3.11 --generate-hashes --upgrade \
		--quiet --custom-compile-command "make lock" -o requirements.lock
