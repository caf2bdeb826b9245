# Everyday commands. `make` alone lists them. Needs Python 3.11 to 3.13, make and a C library; everything else is set up here.
.DEFAULT_GOAL := help
SHELL := /bin/sh
unexport PYTHONDONTWRITEBYTECODE
export UV_PYTHON_DOWNLOADS := never
export TQDM_DISABLE := 1
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
RUN := .venv/bin/

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk 'BEGIN {FS = ":.*## "} {printf "make %-13s %s\n", $$1, $$2}'

.venv/installed: requirements.lock pyproject.toml
	@sh tools/install.sh

.PHONY: demo
demo: .venv/installed ## run the main job on a synthetic council and show what came of it
	@$(RUN)onestory demo

.PHONY: servers
servers: ## get the server programs that tests start for themselves (OpenSSH)
	@sh tools/servers.sh

.PHONY: test
test: .venv/installed lint servers ## every check and every test
	@$(RUN)pytest -n 2 --dist loadgroup --timeout 300 -q

.PHONY: lint
lint: .venv/installed ## format, style, import layers, types, SQL style
	@$(RUN)ruff format --check -q . && $(RUN)ruff check -q . && $(RUN)lint-imports --no-cache >/dev/null || { $(RUN)ruff check . ; $(RUN)lint-imports --no-cache; exit 1; }
	@$(RUN)mypy
	@$(RUN)sqlfluff lint -q connectors warehouse

.PHONY: bench
bench: .venv/installed ## seconds, rows a second and growth of every stage at 1x and 10x
	@$(RUN)onestory bench

.PHONY: bench-linkage
bench-linkage: .venv/installed ## our linkage beside Splink, recordlinkage and hand-written SQL; results in docs/benchmarks
	@$(RUN)onestory bench linkage

.PHONY: up
up: .venv/installed ## start Airflow's own site over the demo
	@$(RUN)onestory up

.PHONY: down
down: .venv/installed ## stop the site and the demo's database
	@$(RUN)onestory down

.PHONY: clean
clean: .venv/installed ## delete the demo and everything it made
	@$(RUN)onestory clean

.PHONY: format
format: .venv/installed ## put code and SQL into the house's format
	@$(RUN)ruff format . && $(RUN)ruff check --fix -q . && $(RUN)sqlfluff fix -q connectors warehouse

.PHONY: lock
lock: .venv/installed ## renew requirements.lock from pyproject.toml (hashes, no addresses)
	@$(RUN)uv pip compile pyproject.toml --group dev --universal -p 3.11 --generate-hashes --no-header -o requirements.lock
