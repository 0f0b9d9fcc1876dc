# One word a job. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
DEMO_DIR ?= foldproof-demo
PAIRS ?= 5
BY_FILE := -n 2 --dist loadfile --no-loadscope-reorder --durations 10  # the longest file first: tests/durations.json
DOCS := ARCHITECTURE.md docs/reference/files.md docs/reference/commands.md docs/reference/settings.md docs/reference/findings.md docs/diagnosis.md docs/statistics.md docs/reference/ways-in.md docs/performance.md

.DEFAULT_GOAL := help
.PHONY: help setup check test test-fast thorough durations faults hostile mutants calibrate demo bench bench-gpu growth docs errors picture lock lock-peers lock-uv clean

help: ## list these words
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## make .venv with every dependency at its locked version

.venv/.ready: requirements.lock uv.lock.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r uv.lock.txt
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes --compile-bytecode --quiet -r requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --quiet -e .
	@touch $@

check: setup ## the gate: format, lint, types, architecture, docs, fast tests
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check --check-fail-msg="run make docs" -I docs $(DOCS)
	$(BIN)/python -m pytest -q $(BY_FILE) -m "not slow"

test: setup ## every promise, each at least once
	$(BIN)/python -m pytest -q $(BY_FILE)

thorough: setup ## every test, and more cases and environments of those that `make test` tries once: most of an hour
	FOLDPROOF_THOROUGH=1 $(BIN)/python -m pytest -q $(BY_FILE)

test-fast: setup ## the tests that take seconds
	$(BIN)/python -m pytest -q $(BY_FILE) -m "not slow"

durations: setup ## measure how long each file of tests takes, on an idle machine: writes tests/durations.json
	FOLDPROOF_DURATIONS=1 $(BIN)/python -m pytest -q $(BY_FILE)

mutants: setup ## make mistakes of one line, drawn by seed, in a copy: do the nearest tests notice? (DRAW=200 SEED=1 ONLY=folds)
	PYTHONPATH=tests $(BIN)/python -m mutants $(if $(DRAW),--draw $(DRAW)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY))

faults: setup ## damage, kills, dead servers, full disks: hours; kills and failing writes go on where they were
	FOLDPROOF_FAULTS=1000 $(BIN)/python -m pytest -q -s tests/faults

hostile: setup ## attacks drawn by seed on bundles, clones, remotes, tables, images, servers (COUNT=600 SEED=17)
	PYTHONPATH=tests $(BIN)/python -m hostile --count $(or $(COUNT),600) $(if $(SEED),--seed $(SEED))

demo: setup ## the main job on 5,000 real digits, from an empty folder to the comparison
	$(BIN)/foldproof demo $(DEMO_DIR)

calibrate: setup ## how often verdicts, intervals and fold tests are right: hours; goes on where it was, then judges
	for made in outcomes singles healthy; do \
	    $(BIN)/python benchmarks/calibration/$$made.py 1/2 & $(BIN)/python benchmarks/calibration/$$made.py 2/2; wait; \
	done
	$(BIN)/python benchmarks/calibration/nested.py
	for judge in judge coverage flags; do $(BIN)/python benchmarks/calibration/$$judge.py; done

bench: setup ## time beside the usual script and frameworks: says how long; goes on (WORKS= SIDES= WAYS= PART=all PAIRS=5 PHOTOS=)
	$(BIN)/python -m benchmarks.alternate --pairs $(PAIRS) $(if $(WORKS),--works $(WORKS)) $(if $(SIDES),--sides "$(SIDES)") $(if $(WAYS),--ways $(WAYS)) $(if $(PART),--part "$(PART)") $(if $(PHOTOS),--photos $(PHOTOS)) $(if $(ESTIMATE),--estimate)

growth: setup ## time against images, folds, experiments and cores: 20 minutes; draws docs/images/growth-*.svg (AXES=images,cores)
	$(BIN)/python -m benchmarks.growth $(if $(AXES),--axes $(AXES))

bench-gpu: setup ## images a second on one GPU, beside a bare captured step (ROUNDS=5, GPU_TRAIN="--train precision=bfloat16")
	$(BIN)/python -m benchmarks.gpu $(if $(ROUNDS),--rounds $(ROUNDS)) $(GPU_TRAIN)

docs: setup ## rewrite the generated parts of the documentation
	$(BIN)/cog -r -I docs $(DOCS)

errors: setup ## make every mistake of docs/reference/errors.md and write down what is printed (needs root)
	PYTHONPATH=tests $(BIN)/python -m mistaken

picture: setup ## draw the README's picture from a finished demo
	$(BIN)/python docs/picture.py $(DEMO_DIR)

screenshots: setup ## take the pictures of a report from a finished demo (needs chromium)
	$(BIN)/python docs/screenshots.py $(DEMO_DIR)

lock: setup ## choose versions again: writes requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--group dev --constraint constraints.txt --custom-compile-command "make lock" \
		pyproject.toml --output-file requirements.lock

lock-peers: setup ## choose versions of the benchmark's peers again: writes benchmarks/peers/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 \
		benchmarks/peers/requirements.in --output-file benchmarks/peers/requirements.txt

lock-uv: setup ## rewrite the hashes of uv itself, at the version of uv.in: writes uv.lock.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
		--custom-compile-command "make lock-uv" uv.in --output-file uv.lock.txt

clean: ## remove what make made
	rm -rf .venv foldproof-demo .mutants .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
