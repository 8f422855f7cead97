"""What jobs request: memory, time, and on a cluster the nodes that their device is on.

Each function returns a rule's resources by name, ready for `resources: **...`. Snakemake calls
every function at every job, so a resource that no device of the config uses has none.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from deltann import device
from deltann.workflow import slurm, snakemake_internals

Resources = dict[str, Callable]


def stage_resources(config: dict, stage: str) -> Resources:
    """Memory, time and `retries_left` of a stage's jobs: more memory and time with each attempt.

    On one machine they limit nothing.
    """
    limit = config["limits"][stage]
    attempts = config["limits"]["retries"] + 1
    return {
        "mem_mb": lambda wildcards, attempt: slurm.memory_mb(limit, attempt),
        "runtime": lambda wildcards, attempt: slurm.minutes(limit, attempt),
        "retries_left": lambda wildcards, attempt: attempts - attempt,
    }


def placement_resources(workflow: Any, config: dict) -> Resources:
    """The Slurm options of jobs that make code for their device's processor."""
    return _placement(workflow, config["devices"], timed=False)


def device_resources(workflow: Any, config: dict) -> Resources:
    """The Slurm options of jobs that time on their device: where it is, and its node alone."""
    devices = config["devices"]
    profile_default = cache(partial(snakemake_internals.default_resource, workflow))

    def extra(wildcards: Any) -> str | None:
        alone = "--exclusive" if slurm.exclusive(devices[wildcards.device]) else None
        return " ".join(filter(None, [profile_default("slurm_extra"), alone])) or None

    def processors(wildcards: Any) -> int | None:
        if snakemake_internals.runs_here(workflow):
            return None
        return slurm.processors(devices[wildcards.device], profile_default("slurm_partition"))

    resources = _placement(workflow, devices, timed=True)
    resources |= {"slurm_extra": extra, "cpus_per_task": processors}
    if "gres" in slurm.options(devices):
        resources["gres"] = lambda wildcards: slurm.gres(devices[wildcards.device])
    return resources


def _placement(workflow: Any, devices: dict, timed: bool) -> Resources:
    profile_default = cache(partial(snakemake_internals.default_resource, workflow))

    def placement(option: str, name: str) -> Callable:
        return lambda wildcards: (
            slurm.placement(devices[wildcards.device], option, timed) or profile_default(name)
        )

    used = slurm.options(devices)
    return {
        name: placement(option, name) for option, name in slurm.PLACEMENT.items() if option in used
    }


def lock_resources(workflow: Any, config: dict) -> Resources:
    """One resource for each RPC server: a job that times there takes all of it."""
    devices = config["devices"]
    locks = sorted(set(filter(None, map(device.lock, devices.values()))))
    for name in locks:
        snakemake_internals.declare_resource(workflow, name, 1)

    def takes(name: str) -> Callable:
        return lambda wildcards: int(device.lock(devices[wildcards.device]) == name)

    return {name: takes(name) for name in locks}


def timed_threads(config: dict, cores: int) -> Callable:
    """The threads of a job that times on its device: all of this machine's, 1 beside another one.

    Snakemake lowers them to `--cores`. On a cluster, `cpus_per_task` counts instead.
    """
    devices = config["devices"]
    return lambda wildcards: cores if device.works_here(devices[wildcards.device]) else 1
