# The config as a list of cells, and the words that every rule uses.
import gc
import json
import os
import sys
import tempfile
import time
from functools import cache, partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from deltann import fencing, runners
from deltann.study import file_checks, grid, model_sources, routes, validation
from deltann.provenance import files
from deltann.execution import isolation
from deltann.images import resizers
from deltann.models import SEEDED
from deltann.workflow import slurm
from deltann.workflow import snakemake_internals as internals
from deltann.cell import NATIVE, RUNTIME, SCHEDULES, SOURCE, TARGET, TUNED, UNCONVERTED, Cell
from deltann.workflow.code_digest import code_digest
from deltann.errors import StudyError
from deltann.workflow.folder_lock import FolderLock

# A DAG of ten thousand cells is no garbage: Python's search for some took a seventh of a dry run.
gc.set_threshold(100_000)


def hold(check, *what):
    """Hold something against a check, whose message is then all that is said."""
    try:
        check(*what)
    except (StudyError, OSError) as error:
        raise WorkflowError(str(error)) from None


hold(validation.check, config)
STUDY = f"results/{config['study']}"
IN_JOB = internals.in_job(workflow)
if not IN_JOB:
    # before Snakemake finds out, with a traceback
    hold(files.check_writable, Path(".snakemake"), Path(STUDY))
# Its readers name it by its path: a rule's output would make its rule run, where only what is made
# of the dataset is allowed to.
DATASET = f"{STUDY}/study.nc"
CELLS = grid.cells(config)
PREPARED = sorted({f"{STUDY}/{grid.prepared_images(config, cell)}" for cell in CELLS})
# Jobs of a cluster parse this file too. They leave trying again to the run that submitted them: it
# asks for more memory and time, and maybe for another node.
RETRIES = 0 if IN_JOB else config["limits"]["retries"]
SLUG = "[a-z0-9_]+(\\+[a-z0-9_]+)*"
SUFFIXES = grid.alternatives([runners.get(name).SUFFIX for name in runners.frameworks()])
OWN_JOB = os.environ.get("SLURM_JOB_ID")  # which the executor hides before it submits
REFUSED = []  # why this run may not execute a job: another run holds the folder


def begin(here):
    """Hold the folder, and end what a killed run left of itself, before the jobs are planned.

    Args:
        here: whether the jobs run on this machine.

    Raises:
        StudyError: jobs of an earlier run don't end, or the cluster doesn't answer.
        OSError: the folder can't be written to.
    """
    try:
        workflow.deltann_lock = FolderLock(Path(".snakemake"))
    except StudyError as error:
        # no fault where there is nothing to do, as in `make verify` beside a run
        REFUSED.append(str(error))
        return
    fencing.pass_token(workflow.deltann_lock.token, workflow.deltann_lock.owner)
    fencing.pass_starter()
    cancel_left_behind(here)
    if workflow.deltann_lock.after_a_kill:
        time.sleep(fencing.SETTLE_SECONDS)  # processes that the cluster has lost end by themselves
        cancel_left_behind(here)  # jobs that were still being submitted


def cancel_left_behind(here):
    """Cancel the jobs on a cluster that a killed run left, and say which."""
    for job in slurm.cancel_left_behind(Path.cwd(), OWN_JOB, must=not here):
        logger.warning(f"Cancelled what an earlier run left on the cluster: {job}")


def begin_in_job(here):
    """Stop where the run that started this job no longer holds the folder, now or later.

    Raises:
        StudyError: it doesn't.
    """
    fencing.check()
    fencing.watch_snakemake()
    fencing.pass_starter()
    internals.leave_output_alone(workflow)


internals.before_planning(workflow, partial(hold, begin_in_job if IN_JOB else begin))


onstart:
    if REFUSED:
        raise WorkflowError(*REFUSED)
    internals.drop_rate_limit(workflow)


onerror:
    # a job's log on a full disk is empty
    for place in isolation.full_disks([STUDY, ".", tempfile.gettempdir()]):
        print(f"{place}: no space left on the disk: free some and run again", file=sys.stderr)


def python(environment):
    """The interpreter of an environment."""
    return f".envs/{environment}/bin/python"


def manifest(environment):
    """The manifest that a job in this environment takes as an input."""
    return f"results/environments/{environment}.json"


def limits(stage):
    """The command-line options with a stage's limits from the config."""
    limit = config["limits"][stage]
    return f"--seconds {limit['seconds']} --memory-mb {limit['memory_mb']}"


def retries_left(wildcards, attempt):
    """How often Snakemake would run the job again after this attempt."""
    return config["limits"]["retries"] + 1 - attempt


def asked(stage):
    """What a stage's jobs ask of a cluster, more with each attempt; on one machine it limits nothing."""
    limit = config["limits"][stage]
    return {
        "mem_mb": lambda wildcards, attempt: slurm.memory_mb(limit, attempt),
        "runtime": lambda wildcards, attempt: slurm.minutes(limit, attempt),
        "retries_left": retries_left,
    }


@cache
def said(name):
    """What the profile says of a resource for all jobs, or None."""
    return internals.default_resource(workflow, name)


def placed(timed):
    """What jobs ask of a cluster so that they run where their device is."""

    def place(word, name):
        return lambda wildcards: slurm.place(device_of(wildcards), word, timed) or said(name)

    # every function costs time at every job: none for a word that no device has
    used = slurm.words(config["devices"])
    return {name: place(word, name) for word, name in slurm.PLACE.items() if word in used}


def on_device():
    """What jobs that run on a device ask of a cluster: its place, and its node alone."""

    def extra(wildcards):
        alone = "--exclusive" if slurm.exclusive(device_of(wildcards)) else None
        return " ".join(filter(None, [said("slurm_extra"), alone])) or None

    def processors(wildcards):
        if internals.runs_here(workflow):
            return None
        return slurm.processors(device_of(wildcards), said("slurm_partition"))

    found = placed(timed=True) | {"slurm_extra": extra, "cpus_per_task": processors}
    if "gres" in slurm.words(config["devices"]):
        found["gres"] = lambda wildcards: slurm.gres(device_of(wildcards))
    return found


def device_of(wildcards):
    """The config's entry of the device that a rule's wildcards name."""
    return config["devices"][wildcards.device]


def imported(wildcards):
    """The model file that TVM imports."""
    names = ("model", "source", "route", "importer")
    return routes.import_step(config, *(wildcards[name] for name in names))


def device_target(device):
    """A device's TVM target, JSON."""
    return json.dumps(config["devices"][device]["target"], sort_keys=True)


def cell_path(cell):
    """The prediction file of a cell."""
    return f"{STUDY}/predictions/{cell}.nc"


wildcard_constraints:
    model=grid.alternatives(model_sources.model_names(config)),
    source=grid.alternatives(list(config["conversions"])),
    target=grid.alternatives(runners.frameworks()),
    route=SLUG,
    importer=SLUG,
    preprocessing=grid.alternatives([SOURCE, TARGET]),
    resizer=grid.alternatives(resizers.names()),
    compiler=grid.alternatives([RUNTIME, *config["compilers"]]),
    schedule=grid.alternatives([RUNTIME, *SCHEDULES]),
    backend=grid.alternatives([NATIVE, *grid.pass_sets(config), *config["runtimes"]]),
    level=grid.alternatives(list(grid.pass_sets(config))),
    device=grid.alternatives(list(config["devices"])),
