# The config as a list of cells, and the words that every rule uses.
import fcntl
import json
import os
import sys
import tempfile
from pathlib import Path

from snakemake.exceptions import WorkflowError

from deltann import checks, grid, isolation, resizers, runners
from deltann.cell import NATIVE, RUNTIME, SCHEDULES, SOURCE, TARGET, TUNED, UNCONVERTED, Cell
from deltann.code import code_digest
from deltann.errors import StudyError


def hold_config(check):
    """Hold the config against a check, whose message is then all that is said."""
    try:
        check(config)
    except StudyError as error:
        raise WorkflowError(str(error)) from None


hold_config(checks.check)
STUDY = f"results/{config['study']}"
# Its readers name it by its path: a rule's output would make its rule run, where only what is made
# of the dataset is allowed to.
DATASET = f"{STUDY}/study.nc"
CELLS = grid.cells(config)
RETRIES = config["limits"]["retries"]
SLUG = "[a-z0-9_]+(\\+[a-z0-9_]+)*"
SUFFIXES = grid.alternatives([runners.get(name).SUFFIX for name in runners.frameworks()])


def hold_folder():
    """Refuse a second run in this folder; the lock ends with the process, however it ends."""
    Path(".snakemake").mkdir(exist_ok=True)
    lock = open(".snakemake/deltann.lock", "w")  # not inherited: Python's files are close-on-exec
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise WorkflowError(
            f"another run is under way in {Path.cwd()}: wait until it is done, or end it"
        ) from None
    return lock


onstart:
    # jobs of a cluster parse this file too, in processes of their own
    if workflow.is_main_process:
        workflow.deltann_lock = hold_folder()
        # With its rate limit, Snakemake 9.27 sets a timer for one second at each step of its
        # scheduler, and the step that a timer causes sets the next: every job that ends adds one
        # for good. After 300 jobs they took a core; `jobs` and `cores` are limit enough.
        workflow.scheduler.job_rate_limiter = None


onerror:
    # a job's log on a full disk is empty
    for place in isolation.full([STUDY, ".", tempfile.gettempdir()]):
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
    return RETRIES + 1 - attempt


def imported(wildcards):
    """The model file that TVM imports."""
    names = ("model", "source", "route", "importer")
    return grid.import_step(config, *(wildcards[name] for name in names))


def device_target(device):
    """A device's TVM target, JSON."""
    return json.dumps(config["devices"][device]["target"], sort_keys=True)


def cell_path(cell):
    """The prediction file of a cell."""
    return f"{STUDY}/predictions/{cell}.nc"


wildcard_constraints:
    model=grid.alternatives(grid.names(config)),
    source=grid.alternatives(list(config["conversions"])),
    target=grid.alternatives(runners.frameworks()),
    route=SLUG,
    importer=SLUG,
    preprocessing=grid.alternatives([SOURCE, TARGET]),
    resizer=grid.alternatives(resizers.names()),
    compiler=grid.alternatives([RUNTIME, *grid.compilers(config)]),
    schedule=grid.alternatives([RUNTIME, *SCHEDULES]),
    backend=grid.alternatives([NATIVE, *grid.pass_sets(config), *config.get("runtimes", {})]),
    level=grid.alternatives(list(grid.pass_sets(config))),
    device=grid.alternatives(list(config["devices"])),
