"""A killed run's jobs at their worst moments: none of them harms the run that comes after it."""

import os
import shutil
from pathlib import Path

import psutil
import pytest
import xarray as xr

from helpers import cluster
from helpers.slurm_runs import Run, at_work
from helpers.workspace import equal

pytestmark = pytest.mark.timeout(3600)  # with the wait for the other file's cluster

STUDY = "results/undisturbed/study.nc"
# A job is held where there is a file `hold-<place>`, until the file that it makes is removed.
HOLDING = """
import os, time
from pathlib import Path

def hold(place):
    if Path(f"hold-{place}").exists():
        held = Path(f"held-{os.environ['SLURM_JOB_ID']}")
        held.touch()
        while held.exists():
            time.sleep(0.1)
"""
# After the rename of the prediction file, and after all that the job's inner Snakemake does.
IN_SCRIPT = '    cli.run(infer, parser)\n    __import__("holding").hold("script")\n'
IN_SNAKEMAKE = """

if IN_JOB and "infer:" in " ".join(sys.argv) and "slurm-jobstep" not in sys.argv:
    import atexit
    import holding

    atexit.register(holding.hold, "snakemake")
"""
# In the place of sbatch: it waits while there is a file `hold`, and says which job it submitted.
SBATCH = """#!/bin/sh
touch submitting
while [ -e hold ]; do sleep 0.1; done
{sbatch} "$@" > submitted.part
cat submitted.part
mv submitted.part submitted
"""


@pytest.fixture(scope="module")
def finished(workspace, undisturbed, tmp_path_factory):
    """A copy of the finished small study, whose jobs can be held."""
    space = workspace.copy(tmp_path_factory.mktemp("finished") / "space", studies=True)
    (space.path / "scripts/holding.py").write_text(HOLDING)
    space.edit("scripts/infer.py", "    cli.run(infer, parser)\n", IN_SCRIPT)
    with open(space.path / "Snakefile", "a") as stream:
        stream.write(IN_SNAKEMAKE)
    space.run(space.path / "undisturbed.yaml", targets=(STUDY,))
    return space


@pytest.fixture
def study(nodes, finished, tmp_path):
    """A copy of the finished study without its dataset and the last prediction file."""
    space = finished.copy(tmp_path / "space", studies=True)
    for path in (STUDY, f"{STUDY}.json", *prediction(space)):
        (space.path / path).unlink()
    return space


def prediction(space) -> list[Path]:
    """The last of the study's prediction files."""
    return sorted(space.path.glob("results/undisturbed/predictions/**/*.nc"))[-1:]


def started(space, *options, **more) -> Run:
    options = ("--slurm-init-seconds-before-status-checks=2", *options)
    return Run(space, space.path / "undisturbed.yaml", *options, "--", STUDY, **more)


def held_submissions(space) -> dict:
    """An environment in which submissions are held."""
    program = space.path / "held/sbatch"
    program.parent.mkdir()
    program.write_text(SBATCH.format(sbatch=shutil.which("sbatch")))
    program.chmod(0o755)
    (space.path / "hold").touch()
    return os.environ | {"PATH": f"{program.parent}:{os.environ['PATH']}"}


def submitted(space) -> str:
    """Let a held submission go on; the id of its job."""
    (space.path / "hold").unlink()
    cluster.wait_until((space.path / "submitted").exists, "the held submission")
    return (space.path / "submitted").read_text().strip()


def script_of(job: str) -> psutil.Process | None:
    """The process of a job's script, once there is one."""
    for process in cluster.processes(job):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if "scripts/infer.py" in words:
            return process
    return None


def is_the_same(space, undisturbed) -> None:
    equal(undisturbed, xr.load_dataset(space.path / STUDY))
    cluster.wait_until(lambda: not cluster.run("squeue", "--noheader"), "an empty queue")


@pytest.mark.parametrize("place", ["script", "snakemake"])
def test_a_job_held_between_its_rename_and_its_end(study, undisturbed, place):
    """Its file is there, but it may still remove it: it is cancelled before the plan."""
    hold = study.path / f"hold-{place}"
    hold.touch()
    run = started(study)
    cluster.wait_until(lambda: list(study.path.glob("held-*")), run.output(), 240)
    (held,) = study.path.glob("held-*")
    assert prediction(study)
    hold.unlink()
    run.kill()
    job = held.name.removeprefix("held-")
    assert cluster.state(job) == "RUNNING"
    said = started(study).finish()
    assert f"Cancelled what an earlier run left on the cluster: job {job} (rule_infer" in said
    assert said.index("Cancelled what") < said.index("Building DAG")
    assert "missing" not in said
    is_the_same(study, undisturbed)


@pytest.mark.parametrize("moment", ["before the next run's jobs", "beside the next run's job"])
def test_a_submission_held_before_squeue_knows_it(study, undisturbed, moment):
    """Its job finds that its run is gone, and ends without writing or removing anything."""
    run = started(study, env=held_submissions(study))
    run.wait_for_file(study.path / "submitting")
    run.kill()
    again = started(study)
    if moment == "beside the next run's job":
        again.in_mid_job("infer")
    job = submitted(study)
    again.finish()
    cluster.wait_until(lambda: cluster.state(job) in ("FAILED", "CANCELLED"), f"the end of {job}")
    if moment == "beside the next run's job":
        (log,) = study.path.glob(f".snakemake/slurm_logs/**/{job}.log")
        assert f"no longer holds {study.path}" in log.read_text()
    is_the_same(study, undisturbed)


def test_a_job_that_ended_for_slurm_while_its_process_lives(study, undisturbed):
    """The process ends by itself before the next run plans, and without writing."""
    run = started(study)
    job, _ = run.in_mid_job("infer")
    cluster.wait_until(lambda: script_of(job), "the job's script")
    script = script_of(job)
    inner = next(item for item in script.parents() if "snakemake" in item.cmdline())
    run.kill()
    inner.kill()
    again = started(study)
    again.wait_for("Building DAG")
    assert not script.is_running()
    again.finish()
    assert cluster.state(job) in ("FAILED", "CANCELLED")  # it may be seen before it has ended
    is_the_same(study, undisturbed)


def test_a_job_whose_inputs_are_missing_fails_and_says_which(study, finished):
    (whole,) = prediction(finished)
    lost = study.path / whole.relative_to(finished.path)
    shutil.copy2(whole, lost)
    run = started(study, "--retries=0", "--latency-wait=3", env=held_submissions(study))
    run.wait_for_file(study.path / "submitting")
    lost.rename(study.path / "lost")
    job = submitted(study)
    assert run.process.wait(120) == 1
    assert cluster.state(job) == "FAILED"
    assert "completed successfully" not in run.output()
    assert not at_work("aggregate")
    (log,) = study.path.glob(f".snakemake/slurm_logs/**/{job}.log")
    name = lost.relative_to(study.path)
    assert f"files that this job needs are missing: {name}" in log.read_text()
