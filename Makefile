# hipjsw: `make train` runs the main job on the phantom cohort, `make test` passes the tests. Both set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python -m

.DEFAULT_GOAL := help
.PHONY: help train phantom ablations questions report model accuracy bench bench-prepare faults audit test test-slow test-slurm lint types check clean clean-data

help:  ## say what can be made
	@grep -E '^[a-z%-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z%-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.venv/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "hipjsw needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing hipjsw into .venv (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

.venv/.installed-dev: pyproject.toml .venv/.installed
	@echo "installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

train: .venv/.installed  ## make the phantom cohort, train the ResUNet on it, measure the test hips (ARGS="loss=dice" ...)
	@$(RUN) hipjsw.train $(ARGS)

IMAGES := docs/images
REAL := ../shared/data/radiographs
phantom: .venv/.installed  ## draw sheets of phantom films into docs/images, count their population, compare with real films
	@$(RUN) hipjsw.phantom sheet=$(IMAGES)/phantom_sheet.png subjects=1000
	@$(RUN) hipjsw.phantom sheet=$(IMAGES)/phantom_wide.png look=wide subjects=1 >/dev/null
	@$(RUN) hipjsw.phantom sheet=$(IMAGES)/phantom_planted.png planted=1 subjects=1 >/dev/null
	@if [ -d $(REAL) ]; then $(BIN)/python experiments/real_films/compare.py --real $(REAL) --out runs/real_films \
	  && cp runs/real_films/phantom_vs_real.png runs/real_films/hips_phantom_vs_real.png $(IMAGES)/; \
	  else echo "no real films in $(REAL): the comparison is left out"; fi
	@$(RUN) hipjsw.reporting.label_figure $(IMAGES)
	@echo "pictures: $(IMAGES)/phantom_*.png, $(IMAGES)/labels_*.png"

TABLES := dataset_size,overfitting,loss,activation,final
QUESTIONS := labels,target,border,label_noise,view,cross_validation
SEEDS ?= 1
JOBS ?= 2
define sweep
@status=0; $(RUN) hipjsw.train -m ablation=$(1) seeds=$(SEEDS) hydra.launcher.n_jobs=$(JOBS) $(ARGS) || status=$$?; \
  test $$status -gt 1 || $(RUN) hipjsw.report $(filter runs_dir=% logger%,$(ARGS)) || status=1; exit $$status
endef
ablations: .venv/.installed  ## tables 1-5 of the study at demo scale, and the report (one seed settles nothing: SEEDS=3)
	$(call sweep,$(TABLES))

questions: .venv/.installed  ## our own ablations: labels, targets, borders, label errors, view, cross-validation (SEEDS=3)
	$(call sweep,$(QUESTIONS))

ablation-%: .venv/.installed  ## one ablation alone, e.g. make ablation-loss SEEDS=3 (JOBS=2 at a time)
	$(call sweep,$*)

report: .venv/.installed  ## tables and report.html of all ablations that were run
	@$(RUN) hipjsw.report $(ARGS)

MODEL := runs/model
SHIPPED := hipjsw/models/default
model: .venv/.installed  ## train the model that comes with hipjsw again (two hours) and put it into the package
	@$(RUN) hipjsw.train +experiment=locator run=$(MODEL)/locator $(ARGS)
	@$(RUN) hipjsw.train +experiment=default_model run=$(MODEL)/hip $(ARGS)
	@rm -rf $(MODEL)/default && $(RUN) hipjsw.export run=$(MODEL)/hip locator=$(MODEL)/locator out=$(MODEL)/default \
	  'name="hipjsw default"' licence=Apache-2.0 half=true
	@rm -rf $(SHIPPED) && mkdir -p $(dir $(SHIPPED)) && cp -r $(MODEL)/default $(SHIPPED)

ACCURACY := runs/accuracy
VIEWS := $(RUN) hipjsw.train data=phantom_views dataset_size=full_equal logger=none
accuracy: .venv/.installed  ## how exact the measurement is: tables into docs/accuracy.md (trains two networks where they are missing)
	@$(BIN)/python benchmarks/accuracy/run.py
	@$(VIEWS) run=$(ACCURACY)/default $(ARGS)
	@$(VIEWS) data.points_error=bonefinder run=$(ACCURACY)/label_errors $(ARGS)
	@$(BIN)/python benchmarks/accuracy/network.py --run $(ACCURACY)/default --label-errors $(ACCURACY)/label_errors

bench: .venv/.installed-dev  ## every benchmark, one table into docs/performance.md (half an hour; ARGS=--quick for a look)
	@$(BIN)/python benchmarks/bench.py --out docs/performance.md $(ARGS)

bench-prepare: .venv/.installed  ## films a second from DICOM to hip views, against bare decoding (ARGS="--films 200 --view hip")
	@$(BIN)/python benchmarks/prepare.py $(ARGS)

faults: .venv/.installed-dev  ## try every promise of docs/reliability.md under fire, and write its table (half an hour)
	@OMP_NUM_THREADS=1 $(BIN)/python benchmarks/faults/run.py --out docs/reliability.md $(ARGS)

audit: .venv/.installed  ## ask the database of advisories about what is installed (needs the internet)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit && $(BIN)/pip-audit --skip-editable

# A file's tests run in one process, so many files at a time as there are cores; each process has one thread.
test: .venv/.installed-dev  ## run the tests (those marked slow left out)
	@OMP_NUM_THREADS=1 $(RUN) pytest -q -m "not slow" -n auto --dist loadfile $(ARGS)

test-slow: .venv/.installed-dev  ## run the slow tests
	@$(RUN) pytest -q -m slow $(ARGS) || [ $$? -eq 5 ]  # 5: there are none

test-slurm: .venv/.installed-dev  ## sweeps on a Slurm of one node that the tests start (as root; tests/slurm/up.sh says what to install)
	@OMP_NUM_THREADS=1 $(RUN) pytest -q -m slurm tests/slurm $(ARGS)

lint: .venv/.installed-dev  ## ruff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: .venv/.installed-dev  ## mypy, strict
	@$(BIN)/mypy

check: lint types test  ## lint, types and tests

clean:  ## remove the environment
	rm -rf .venv

clean-data:  ## remove the data and runs made here
	rm -rf data runs
