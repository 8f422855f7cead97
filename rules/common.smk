# What all rules share: the study's folder and cells, the wildcards, the start and end of a run.
import gc
import tempfile
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from deltann import interpreter
from deltann.execution import isolation
from deltann.provenance import files
from deltann.study import grid, layout, preparations, validation
from deltann.workflow import captions, constraints, snakemake_internals, targets
from deltann.workflow.errors import raise_as_workflow_error
from deltann.workflow.run import STATE, Run

# Snakemake's plan of ten thousand cells is no garbage: searching it took a seventh of a dry run.
gc.set_threshold(100_000)

check_config(validation.check, config)
STUDY = layout.study(config["study"])
CELLS = grid.cells(config)
# Rules that read the dataset name it by its path. By `rules.aggregate.output`, Snakemake would run
# aggregation for them, also in redraw.smk, which can't.
DATASET = f"{STUDY}/{layout.DATASET}"
DATASET_RECORD = f"{STUDY}/{layout.DATASET_RECORD}"
PREPARED_IMAGES = sorted({f"{STUDY}/{grid.prepared_images(config, cell)}" for cell in CELLS})
# A job on a cluster reads this file too, in a Snakemake of its own.
IN_JOB = snakemake_internals.in_job(workflow)
# Only the run that submitted a job tries it again: with more memory and time, maybe elsewhere.
RETRIES = 0 if IN_JOB else config["limits"]["retries"]
RUN = Run(workflow, config)
# Not a parameter of rules: a study that is moved would run again.
DRIVER_PYTHON = [str(interpreter.PYTHON), *interpreter.FLAGS]

if not IN_JOB:
    # Check now: Snakemake would fail later, with a traceback.
    raise_as_workflow_error(files.check_writable, STATE, Path(STUDY))
    raise_as_workflow_error(captions.write)
    raise_as_workflow_error(targets.check, config, STATE)
    for note in preparations.notes(config):
        logger.info(note)

snakemake_internals.before_planning(
    workflow, partial(raise_as_workflow_error, RUN.begin_in_job if IN_JOB else RUN.begin)
)


onstart:
    if RUN.refusal:
        raise WorkflowError(RUN.refusal)
    snakemake_internals.drop_rate_limit(workflow)


# Called if jobs failed, not if the config or the plan was refused.
onerror:
    if not IN_JOB:
        logger.error(f"Some jobs failed: see above, and {STUDY}/{layout.LOGS}")
    # On a full disk a job's log is empty: say it here.
    for folder in isolation.full_disks([STUDY, ".", tempfile.gettempdir()]):
        logger.error(f"{folder}: no space left on the disk: free some and run again")


wildcard_constraints:
    **constraints.cell_names(config),
