# Noria's few commands. `make` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/noria/adapters/http/static/index.html
WEB_SOURCES := $(shell find web/src web/public web/build -type f 2>/dev/null) web/index.html web/vite.config.ts web/package.json
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test check bench peers conformance torture web docs lock clean

help: ## List these commands.
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.installed $(STATIC) ## Run a small company with months of simulated requests on http://127.0.0.1:8080.
	$(BIN)/noria demo $(ARGS)

test: check ## Check everything and run all tests.
	@scripts/test-packages
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.installed $(STATIC) ## Format, lint, types, import contracts, and the web pages' own checks.
	$(BIN)/ruff format --check src tests bench scripts hatch_build.py
	$(BIN)/ruff check src tests bench scripts hatch_build.py
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	cd web && npm run --silent check

bench: $(VENV)/.installed ## Measure beside peers in the same run and print ratios.
	$(BIN)/python -m bench.run $(ARGS)

peers: ## Install what `make bench` compares with: DBOS, bpmn-elements (Node), Camunda 7 and Flowable (Java, Maven).
	test -x bench/dbos_steps/.venv/bin/python || $(PYTHON) -m venv bench/dbos_steps/.venv
	bench/dbos_steps/.venv/bin/python -m pip install --progress-bar off -q --require-hashes -r bench/dbos_steps/requirements.lock
	-cd bench/bpmn_elements && npm ci --ignore-scripts --no-audit --no-fund
	-cd bench/java_engines && for engine in camunda flowable; do \
	  mvn -q -B -P $$engine dependency:copy-dependencies -DoutputDirectory=lib/$$engine; done
	-cd bench/java_engines && javac -d classes/camunda -cp 'lib/camunda/*' Runner.java Camunda.java
	-cd bench/java_engines && javac -d classes/flowable -cp 'lib/flowable/*' Runner.java Flowable.java

conformance: $(VENV)/.installed ## Run the outside suites in CONFORMANCE (../shared/conformance) and print what passes.
	$(BIN)/python -m tests.conformance.run $(CONFORMANCE) $(if $(SUMMARY),--summary $(SUMMARY))

torture: $(VENV)/.installed ## Kill, cut off and fill for TORTURE="--minutes N --seed S"; write docs/reliability.md.
	$(BIN)/python -m tests.torture.run $(TORTURE)

web: $(STATIC) ## Build the web pages.

docs: $(VENV)/.installed ## Write the generated pages of docs/reference.
	$(BIN)/python -m scripts.reference

lock: $(VENV)/.installed ## Resolve the dependencies again and write the locks.
	$(BIN)/pip-compile -q --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --no-header --allow-unsafe --strip-extras -o bench/dbos_steps/requirements.lock bench/dbos_steps/requirements.in
	$(BIN)/pip-compile -q --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --no-header --allow-unsafe --strip-extras -o requirements/runtime.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --no-header --allow-unsafe --strip-extras --extra push -c requirements/runtime.lock \
	  -o requirements/push.lock pyproject.toml
	$(BIN)/pip-compile -q --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --no-header --allow-unsafe --strip-extras --extra dev --extra bench --extra push -c requirements/runtime.lock \
	  -o requirements/dev.lock pyproject.toml

clean: ## Remove what these commands made, but for data/.
	rm -rf $(VENV) web/node_modules src/noria/adapters/http/static dist conformance-results .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: requirements/dev.lock pyproject.toml
	@echo "Installing Python packages into $(VENV) ..."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --progress-bar off -q --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --progress-bar off -q --no-deps --no-build-isolation -e .
	@touch $@

web/node_modules/.installed: web/package-lock.json
	@echo "Installing web packages ..."
	cd web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(STATIC): web/node_modules/.installed $(WEB_SOURCES)
	@echo "Building the web pages ..."
	cd web && npm run build
