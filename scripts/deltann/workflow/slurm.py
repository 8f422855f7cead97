"""What a job asks of a Slurm cluster: memory, time, and the nodes that its device is on."""

import math
import os
import re
import shutil
import subprocess
import time
from functools import cache
from pathlib import Path

from deltann import device
from deltann.errors import StudyError

# Jobs of Snakemake have their run's UUID for a name, with or without the profile's prefix.
RUN = re.compile(r"([A-Za-z0-9_-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What squeue says of a job whose processes are gone. Every other state is one to wait for.
ENDED = set(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED LAUNCH_FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED "
    "RECONFIG_FAIL REVOKED TIMEOUT".split()
)
CANCEL_SECONDS, POLL_SECONDS = 300, 0.5
# A device's options under `slurm` that say where it is, and Snakemake's names for them.
PLACEMENT = {
    "partition": "slurm_partition",
    "constraint": "constraint",
    "account": "slurm_account",
    "qos": "qos",
}

# Beside the foreign tool in a job: Snakemake's own processes, and the program that starts the tool.
OWN_MEMORY_MB = 1000
# And their start, from a file system that may be slow.
OWN_MINUTES = 10


def memory_mb(limit: dict, attempt: int) -> int:
    """The memory in MiB of a job whose tool has this limit of the config; a half more each try."""
    return math.ceil((limit["memory_mb"] + OWN_MEMORY_MB) * _growth(attempt))


def minutes(limit: dict, attempt: int) -> int:
    """The minutes of a job whose tool has this limit of the config; a half more each try."""
    return math.ceil((limit["seconds"] / 60 + OWN_MINUTES) * _growth(attempt))


def _growth(attempt: int) -> float:
    return (1 + attempt) / 2


def options(devices: dict) -> set[str]:
    """The options under `slurm` that the devices of a config have."""
    return {name for described in devices.values() for name in described.get("slurm", {})}


def placement(described: dict, option: str, timed: bool) -> str | None:
    """The Slurm option that a device requests, one of PLACEMENT; None for the profile's default.

    A timed job runs on the device. Another job needs the device's nodes only if it makes code for
    the processor that it runs on.
    """
    for_host = device.is_processor(described) and described["target"].get("mcpu") == device.HOST
    return described.get("slurm", {}).get(option) if timed or for_host else None


def gres(described: dict) -> str | None:
    """The GPUs or other generic resources that a job takes while it times on a device."""
    return described.get("slurm", {}).get("gres")


def exclusive(described: dict) -> bool:
    """Whether a job that times on a device has its node alone."""
    return described.get("slurm", {}).get("exclusive", "rpc" not in described)


def processors(described: dict, default_partition: str | None) -> int:
    """How many processors a job takes that times on a device: as many as its runtime has threads.

    Raises:
        StudyError: the cluster doesn't say how many a node has.
    """
    if "rpc" in described:
        return 1
    return described.get("threads") or cores(
        placement(described, "partition", True) or default_partition
    )


@cache
def cores(partition: str | None) -> int:
    """The processors of the smallest node of a partition, or of all: every node has as many.

    Raises:
        StudyError: the cluster doesn't answer, or has no such partition.
    """
    command = ["sinfo", "--noheader", "--format=%c"]
    listed = _ask([*command, f"--partition={partition}"] if partition else command)
    # of different nodes, Slurm says the least and a plus
    counts = [int(line.strip().rstrip("+")) for line in listed.split()]
    if not counts:
        raise StudyError(
            f"the cluster has no node in partition {partition!r}; expected one of its partitions"
        )
    return min(counts)


def cancel_left_behind(folder: Path, own: str | None, must: bool) -> list[str]:
    """Cancel the jobs that a Snakemake left that was killed in a folder, and wait for their end.

    Args:
        folder: whose lock is held, so that no Snakemake there waits for a job.
        own: the id of the job that this process is part of, which stays.
        must: whether the cluster has to answer.

    Returns:
        the jobs, each with its id, rule, state and node.

    Raises:
        StudyError: the jobs don't end, or the cluster doesn't answer and must.
    """
    if not shutil.which("squeue"):
        return []
    try:
        found = _left_behind(folder, own)
    except StudyError:
        if must:
            raise
        return []
    if not found:
        return []
    _ask(["scancel", *found])
    end = time.monotonic() + CANCEL_SECONDS
    while left := _left_behind(folder, own):
        if time.monotonic() > end:
            raise StudyError(
                f"jobs that an earlier run left don't end: {', '.join(left.values())}; expected "
                "them gone from squeue, so that they don't write beside new ones"
            )
        time.sleep(POLL_SECONDS)
    return list(found.values())


def _left_behind(folder: Path, own: str | None) -> dict[str, str]:
    """The jobs of Snakemake with this folder as theirs: id, and a description for people."""
    # by itself, squeue leaves out some states, and partitions that are hidden
    everything = ["--me", "--all", "--states=all", "--noheader"]
    listed = _ask(["squeue", *everything, "--format=%A|%j|%T|%N|%Z|%k"])
    found = {}
    for line in listed.splitlines():
        number, name, state, node, place, comment = line.split("|", 5)
        ours = RUN.fullmatch(name) and os.path.realpath(place) == os.path.realpath(folder)
        if ours and number != own and state not in ENDED:
            found[number] = f"job {number} ({comment}), {state.lower()}" + (node and f" on {node}")
    return found


def _ask(command: list[str]) -> str:
    """What a command of Slurm's says; it must succeed."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StudyError(f"the cluster doesn't answer {command[0]}: {error}") from error
    if done.returncode:
        raise StudyError(f"the cluster doesn't answer {command[0]}: {done.stderr.strip()}")
    return done.stdout
