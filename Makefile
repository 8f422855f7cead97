# `make study` runs a study, `make test` the tests. Each sets up what it needs.
PYTHON ?= python3
# One or more config files; later ones win.
CONFIG ?= config/config.yaml
SNAKEMAKE = .venv/bin/snakemake
DRIVER_PYTHON = $(dir $(SNAKEMAKE))python
# Sets `results` to the study's folder, or ends with one sentence on the config.
STUDY = results=$$($(DRIVER_PYTHON) scripts/study_folder.py $(CONFIG)) || exit 1

.PHONY: study retry-failed verify pack redraw test check lint config-docs

study: .venv/ready
	@$(STUDY); $(SNAKEMAKE) --cores all --configfile $(CONFIG) && \
	$(SNAKEMAKE) --quiet all --configfile $(CONFIG) --report "$$results"/report.html; code=$$?; \
	$(DRIVER_PYTHON) scripts/print_summary.py "$$results" --exit-code $$code; exit $$code

# Delete failed records and prediction files, so that `make study` tries them again.
retry-failed: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json
	@$(STUDY); .envs/analysis/bin/python scripts/retry_failed.py "$$results"

# Check a finished study: every file against its record, every cell of its grid.
verify: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json
	@$(STUDY); .envs/analysis/bin/python scripts/verify.py "$$results"

# Archive a finished study as one file, results/<study>.zip: an RO-Crate.
pack: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json
	@$(STUDY); .envs/analysis/bin/python scripts/archive.py "$$results"

# Make tables, figures, summary, gallery and report again, of a study that was copied here:
# `make redraw CONFIG=results/<study>/config.json`.
redraw: .venv/ready
	@$(STUDY); $(SNAKEMAKE) --snakefile redraw.smk --cores all --configfile $(CONFIG) \
		--forcerun tables figures summary gallery && \
	$(SNAKEMAKE) --snakefile redraw.smk --quiet all --configfile $(CONFIG) \
		--report "$$results"/report.html

test: .venv/ready
	@$(SNAKEMAKE) --cores all results/environments/test.json
	@.envs/test/bin/python -m pytest

# Linters, types and unit tests: what to run before each commit.
check: lint
	@.envs/test/bin/python -m pytest tests/unit

lint: .venv/ready
	@$(SNAKEMAKE) --cores all results/environments/test.json
	@.envs/test/bin/ruff check scripts tests benchmarks
	@.envs/test/bin/ruff format --check scripts tests benchmarks
	@.envs/test/bin/snakefmt --check Snakefile redraw.smk rules
	@.envs/test/bin/mypy

# config/README.md, from the schema; a unit test fails while it is out of date.
config-docs: .venv/ready
	@$(DRIVER_PYTHON) scripts/document_config.py

# The driver's environment: Snakemake, and uv, which builds the others.
.venv/ready: envs/driver.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "CPython 3.11 to 3.13 is needed, this is " + sys.version)'
	@echo "setting up .venv"
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement envs/driver.txt
	@touch $@
