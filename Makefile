# `make study` runs a study, `make test` the tests. Each sets up what it needs.
PYTHON ?= python3
# One or more config files; later ones win.
CONFIG ?= config/config.yaml
SNAKEMAKE = .venv/bin/snakemake
# -s -E, -I, and the next lines: Python finds the packages of its environment and no others.
DRIVER_PYTHON = $(dir $(SNAKEMAKE))python -s -E
ANALYSIS_PYTHON = .envs/analysis/bin/python -s -E
TEST_PYTHON = .envs/test/bin/python -I
unexport $(filter-out PYTHONPROFILEIMPORTTIME,$(filter PYTHON%,$(.VARIABLES)))
export PYTHONNOUSERSITE = 1
# Sets `results` to the study's folder, or ends with one sentence on the config.
STUDY = results=$$($(DRIVER_PYTHON) scripts/study_folder.py $(CONFIG)) || exit 1

REPORT = --report "$$results"/report.html --report-stylesheet report/report.css

# Builds the environment of the next script.
ANALYSIS = $(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json || exit 1

.PHONY: study try emulate retry-failed verify pack redraw test check lint config-docs

study: .venv/ready
	@$(STUDY); $(SNAKEMAKE) --cores all --configfile $(CONFIG) && \
	$(SNAKEMAKE) --quiet all --configfile $(CONFIG) $(REPORT) && \
	$(DRIVER_PYTHON) scripts/print_summary.py "$$results"

# A first study of a model file: `make try MODEL=path/to/model.onnx IMAGES=folder`. It proposes a
# config and writes it. Names reach the script through the environment, so they may hold anything.
try: $(if $(and $(MODEL),$(IMAGES)),.venv/ready)
	@test -n "$$MODEL" -a -n "$$IMAGES" || { echo "usage: make try MODEL=path/to/model.onnx IMAGES=folder [LABELS=classes.txt] [OUTPUT=name] [CONFIG=config/name.yaml]" >&2; echo "MODEL: .onnx, .tflite, .keras, .h5, a SavedModel (folder or .tar), .pt2 or .pt; IMAGES may hold labels.csv (image,label)" >&2; exit 2; }
	@$(DRIVER_PYTHON) scripts/try_model.py --model="$$MODEL" --images="$$IMAGES" \
		--labels="$$LABELS" --output="$$OUTPUT" --config="$$CONFIG"

# An AArch64 machine for `devices`, emulated here by QEMU, behind a TVM RPC server on 127.0.0.1.
emulate: PORT ?= 9090
emulate: KEY ?= lab
emulate: PROCESSOR ?= cortex-a72
emulate: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/tvm.json || exit 1; \
	$(DRIVER_PYTHON) scripts/emulated_server.py --port="$(PORT)" --key="$(KEY)" \
		--processor="$(PROCESSOR)"

# Delete failed records and prediction files, so that `make study` tries them again.
retry-failed: .venv/ready
	@$(STUDY); $(ANALYSIS); $(ANALYSIS_PYTHON) scripts/retry_failed.py "$$results"

# Check a finished study: every file against its record, every cell of its grid.
verify: .venv/ready
	@$(STUDY); $(ANALYSIS); $(ANALYSIS_PYTHON) scripts/verify.py "$$results"

# Archive a finished study as one file, results/<study>.zip: an RO-Crate.
pack: .venv/ready
	@$(STUDY); $(ANALYSIS); $(ANALYSIS_PYTHON) scripts/archive.py "$$results"

# Make tables, figures, summary, explorer and report again, of a study that was copied here:
# `make redraw CONFIG=results/<study>/config.json`.
redraw: .venv/ready
	@$(STUDY); $(SNAKEMAKE) --snakefile redraw.smk --cores all --configfile $(CONFIG) \
		--forcerun tables figures summary explorer && \
	$(SNAKEMAKE) --snakefile redraw.smk --quiet all --configfile $(CONFIG) \
		$(REPORT)

test: .venv/ready
	@$(SNAKEMAKE) --cores all results/environments/test.json
	@$(TEST_PYTHON) -m pytest

# Linters, types and unit tests: what to run before each commit.
check: lint
	@$(TEST_PYTHON) -m pytest tests/unit

lint: .venv/ready
	@$(SNAKEMAKE) --cores all results/environments/test.json
	@$(TEST_PYTHON) -m ruff check scripts logger tests benchmarks
	@$(TEST_PYTHON) -m ruff format --check scripts logger tests benchmarks
	@$(TEST_PYTHON) -m snakefmt --check Snakefile redraw.smk rules
	@$(TEST_PYTHON) -m mypy

# config/README.md, from the schema; a unit test fails while it is out of date.
config-docs: .venv/ready
	@$(DRIVER_PYTHON) scripts/document_config.py

# The driver's environment: Snakemake with the plugin in logger/, and uv, which builds the others.
.venv/ready: envs/driver.txt envs/snakemake.sh
	@sh envs/check_cache.sh
	@test ! -L .venv || { echo ".venv is a link to $$(readlink .venv), whose content would be deleted; expected a folder or nothing. Remove the link (rm .venv) and run again" >&2; exit 1; }
	@$(PYTHON) -I -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "CPython 3.11 to 3.13 is needed, this is " + sys.version)'
	@echo "setting up .venv"
	@$(PYTHON) -I -m venv --clear .venv
	@.venv/bin/python -I -m pip install --quiet --disable-pip-version-check --requirement envs/driver.txt
	@echo ../../../../logger > "$$(.venv/bin/python -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/deltann.pth"
	@install -m 755 envs/snakemake.sh .venv/bin/snakemake
	@touch $@
