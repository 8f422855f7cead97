"""The small study on a real cluster of two nodes: undisturbed, and with every fault provoked."""

import re
import shlex
import uuid

import pytest
import xarray as xr

from helpers import cluster
from helpers.slurm_runs import ON_CLUSTER, Run
from helpers.workspace import SMALL, equal

LIMITS = {"seconds": 300, "memory_mb": 3000}
CHANGES = SMALL | {
    "limits": {stage: LIMITS for stage in ("export", "convert", "compile", "infer")}
    | {"retries": 2}
}


pytestmark = pytest.mark.timeout(3600)  # with the wait for the other file's cluster


def test_the_study_on_two_nodes_is_the_local_one(nodes, workspace, undisturbed):
    place = {"partition": "lab", "constraint": "fast", "gres": "board:1"}
    devices = {"cpu": SMALL["devices"]["cpu"] | {"slurm": place}}
    config = workspace.config("cluster", **CHANGES | {"devices": devices})
    said = Run(workspace, config).finish()
    results = workspace.path / "results/cluster"
    equal(undisturbed, xr.load_dataset(results / "study.nc"))
    assert (results / "figures/latency.pdf").stat().st_size
    assert "Trying to restart" not in said
    asked = "%k|%N|%P|%f|%b|%h|%C|%m|%l"  # the rule, and what its job asked for
    listed = cluster.run("squeue", "--noheader", "--states=all", f"--format={asked}")
    jobs = [line.split("|") for line in listed.splitlines()]
    of = {rule: [job for job in jobs if rule in job[0]] for rule in ("infer", "compile", "figures")}
    assert {job[1] for job in jobs} == {job[1] for job in of["infer"]} == {"n1", "n2"}
    # two processors, the node alone, the tool's memory and ours, its minutes and ours
    timed = ["lab", "fast", "gres:board:1", "NO", "2", "4000M", "15:00"]
    assert [job[2:] for job in of["infer"]] == [timed] * len(undisturbed.cell)
    assert {tuple(job[2:6]) for job in of["compile"]} == {("lab", "fast", "N/A", "OK")}
    assert {job[2] for job in jobs} == {"lab", "main"}
    assert len(of["figures"]) == len(of["compile"]) == 1  # all of them in one job
    assert "rule_environment" not in listed and "rule_cells" not in listed
    assert workspace.jobs(config) == {}  # nor is there anything to do for a run of this machine


def test_compilations_for_devices_elsewhere_are_jobs_of_their_own(nodes, workspace):
    """Jobs of one group ask for one place."""
    there = {"cpu": "lab", "other": "main"}
    cpu = SMALL["devices"]["cpu"]
    devices = {name: cpu | {"slurm": {"partition": place}} for name, place in there.items()}
    config = workspace.config("elsewhere", **CHANGES | {"devices": devices})
    way = "results/elsewhere/compiled/efficientnet_lite0/torch/{}/direct/tvm/rules/O2/{}.so"
    routes = ("torch/unconverted", "onnx/torch_onnx")
    Run(workspace, config, "--", *(way.format(r, d) for r in routes for d in there)).finish()
    listed = cluster.run("squeue", "--noheader", "--states=all", "--format=%k|%P").splitlines()
    for name, place in there.items():
        jobs = [job.split("|")[1] for job in listed if f"compile_{name}" in job]
        assert set(jobs) == {place}
    assert len(jobs) == 1


def test_the_job_that_the_command_runs_in_stays(nodes, workspace):
    """Also where it has the name of a killed run's jobs, the others of which go."""
    config = workspace.config("inside", **CHANGES)
    name = f"deltann_{uuid.uuid4()}"
    options = ["--parsable", f"--job-name={name}", f"--chdir={workspace.path}", "--mem=2000"]
    left = cluster.run("sbatch", *options, "--wrap", "sleep 300").strip()
    command = shlex.join([*ON_CLUSTER, str(config), "--", "results/inside/cells.txt"])
    own = cluster.run("sbatch", *options, "--wrap", command).strip()

    def over():
        return not cluster.run("squeue", "--noheader", f"--name={name}")

    cluster.wait_until(over, "the end of both jobs", 120)
    listed = cluster.run("squeue", "--noheader", "--states=all", "--format=%A %T").splitlines()
    assert f"{left} CANCELLED" in listed and f"{own} COMPLETED" in listed
    assert (
        f"run left on the cluster: job {left}" in (workspace.path / f"slurm-{own}.out").read_text()
    )
    assert (workspace.path / "results/inside/cells.txt").exists()


def test_what_is_lost_on_the_way_is_repeated(nodes, workspace, undisturbed):
    """One run, and in it every fault: each is said, and nothing of it is in the result."""
    config = workspace.config("faults", **CHANGES)
    options = (
        "--slurm-init-seconds-before-status-checks=2",
        "--default-resources",
        "slurm_partition=lab",
        "slurm_extra='--nice=5 --contiguous'",
        "mem_mb=1000*attempt",
        "runtime=10*attempt",
        "--set-resources=compile:mem_mb=200*attempt**3",  # too little the first time
        "--",
        "results/faults/study.nc",
    )
    run = Run(workspace, config, *options)

    job, node = run.in_mid_job("export")
    cluster.kill_node(node)
    run.wait_for(f"'{job}' failed due to a node failure")
    cluster.start_node(node)

    job, _ = run.in_mid_job("convert")
    cluster.over_time(job)
    run.wait_for(f"'{job}' failed, SLURM status is: 'TIMEOUT'")

    run.wait_for("Error in group compile_cpu (job ")
    assert "exceeded memory limit" in cluster.log()

    run.in_mid_job("compile")
    cluster.restart_controller()

    job, _ = run.in_mid_job("infer")
    cluster.run("scancel", job)
    run.wait_for(f"'{job}' failed, SLURM status is: 'CANCELLED'")

    job, _ = run.frozen_in_mid_job("infer")
    run.kill()
    before = run.output()
    (name,) = re.findall("SLURM run ID: (.+)", before)
    listed = cluster.run("squeue", "--noheader", "--states=all", f"--name={name}", "--format=%P %y")
    assert set(listed.splitlines()) == {"lab 5"}  # of all jobs, also those with words of their own
    again = Run(workspace, config, "--", "results/faults/study.nc")
    said = again.finish()
    assert before.count("Trying to restart job") >= 4
    assert f"Cancelled what an earlier run left on the cluster: job {job} (rule_infer" in said
    assert said.index("Cancelled what an earlier run left") < said.index("has been submitted")
    equal(undisturbed, xr.load_dataset(workspace.path / "results/faults/study.nc"))
    assert not cluster.run("squeue", "--noheader")
