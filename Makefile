# The two commands: `make study` and `make test`. Both set up what they need.
PYTHON ?= python3
# one or more: a later one is laid over the former
CONFIG ?= config/config.yaml
SNAKEMAKE = .venv/bin/snakemake
RESULTS = results/$(shell sed -n 's/^ *"\{0,1\}study"\{0,1\}: *"\{0,1\}\([A-Za-z0-9_.-]*\).*/\1/p' $(CONFIG) | tail -n 1)

.PHONY: study retry-failed verify pack redraw test check lint config-docs

study: .venv/ready
	@$(SNAKEMAKE) --cores all --configfile $(CONFIG) && \
	$(SNAKEMAKE) --quiet all --configfile $(CONFIG) --report $(RESULTS)/report.html; code=$$?; \
	.venv/bin/python scripts/closing.py $(RESULTS) --exit-code $$code; exit $$code

# Drop failed records and cells, so that `make study` tries them again.
retry-failed: .venv/ready
	@.envs/analysis/bin/python scripts/retry_failed.py $(RESULTS)

# Hold a study against its records: every digest, every cell of its grid.
verify: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json
	@.envs/analysis/bin/python scripts/verify.py $(RESULTS)

# A finished study as one file for an archive, results/<study>.zip: an RO-Crate.
pack: .venv/ready
	@$(SNAKEMAKE) --quiet all --cores all results/environments/analysis.json
	@.envs/analysis/bin/python scripts/pack.py $(RESULTS)

# Tables, figures, summary, gallery and report again, of a study that was carried here:
# `make redraw CONFIG=results/<study>/config.json`.
redraw: .venv/ready
	@$(SNAKEMAKE) --snakefile redraw.smk --cores all --configfile $(CONFIG) \
		--forcerun tables figures summary gallery && \
	$(SNAKEMAKE) --snakefile redraw.smk --quiet all --configfile $(CONFIG) --report $(RESULTS)/report.html

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
	@.venv/bin/python scripts/document_config.py

# The driver's environment: Snakemake, and uv, which builds the others.
.venv/ready: envs/driver.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "CPython 3.11 to 3.13 is needed, this is " + sys.version)'
	@echo "setting up .venv"
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement envs/driver.txt
	@touch $@
