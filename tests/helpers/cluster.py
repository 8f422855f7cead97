"""A real Slurm cluster on this machine: two nodes, by Debian's packages, on the loopback only."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from helpers import debian
from helpers.debian import run

CONFIGURATION = Path("/etc/slurm/slurm.conf")  # jobs look nowhere else
PLACE = Path("/var/lib/deltann-slurm")
MARK = "# made by the tests of DeltaNN, and removed by them"
PACKAGES = ("slurm-wlm", "munge")
DAEMONS = ("slurmctld", "slurmd", "munged", "slurmstepd")
NODES = ("n1", "n2")
TEXT = f"""{MARK}
ClusterName=deltann
SlurmctldHost={{host}}(127.0.0.1)
SlurmctldPort=26817
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={PLACE}/munge.socket
SlurmUser=root
StateSaveLocation={PLACE}/state
SlurmctldPidFile={PLACE}/slurmctld.pid
SlurmctldLogFile={PLACE}/slurmctld.log
SlurmdPidFile={PLACE}/slurmd.%n.pid
SlurmdLogFile={PLACE}/slurmd.%n.log
SlurmdSpoolDir={PLACE}/spool.%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory,CR_LLN
SchedulerParameters=batch_sched_delay=0,sched_min_interval=500000
# a step over its memory is seen within a second, a job over its time within two
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
KillWait=2
# a node that doesn't answer is lost after six seconds, and taken back once it answers
SlurmdTimeout=6
ReturnToService=2
MpiDefault=none
# what a node is said to have, which may be more than the machine has
SlurmdParameters=config_overrides
# a board stands for a GPU: what is asked for and counted, and needs no driver
GresTypes=board
NodeName=DEFAULT CPUs=2 RealMemory=16000 Features=fast Gres=board:1
NodeName=n1 NodeHostname={{host}} NodeAddr=127.0.0.1 Port=26818
NodeName=n2 NodeHostname={{host}} NodeAddr=127.0.0.1 Port=26819
PartitionName=DEFAULT Nodes=n1,n2 MaxTime=240 State=UP
PartitionName=main Default=YES
PartitionName=lab
"""


def missing() -> str:
    """Why no cluster can be started here; empty where one can."""
    if CONFIGURATION.exists() and MARK not in CONFIGURATION.read_text():
        return f"this machine has a Slurm of its own ({CONFIGURATION}), which tests don't touch"
    if os.geteuid() != 0:
        return "a Slurm cluster is started by root only"
    if not (shutil.which("slurmctld") or shutil.which("apt-get")):
        return "Slurm is not installed, and there is no apt-get to install it by"
    return ""


def wait_until(true, what: str, seconds: float = 60) -> None:
    """Wait until a function says so."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)


def install() -> None:
    """Install Debian's packages where they aren't."""
    if all(shutil.which(name) for name in ("slurmctld", "slurmd", "munged", "squeue")):
        return
    debian.install(*PACKAGES)


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other session of tests on this machine has a cluster."""
    with open("/run/deltann-slurm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            stop()


def start() -> None:
    """Start the cluster, once what an earlier session left of one is gone."""
    stop()
    install()
    for folder in (PLACE / "state", *(PLACE / f"spool.{node}" for node in NODES)):
        folder.mkdir(parents=True)
    PLACE.chmod(0o755)
    CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
    CONFIGURATION.write_text(TEXT.format(host=os.uname().nodename.split(".")[0]))
    key = PLACE / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    own = [f"--{name}-file={PLACE}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    run("munged", "--force", f"--socket={PLACE}/munge.socket", *own)
    start_controller()
    for node in NODES:
        start_node(node)
    wait_until(lambda: states() == {"n1": "idle", "n2": "idle"}, "two idle nodes")


def start_controller() -> None:
    """Start slurmctld, which goes on from the state it left."""
    run("slurmctld")


def start_node(node: str) -> None:
    """Start a node's slurmd."""
    run("slurmd", "-N", node)


def states() -> dict[str, str]:
    """Each node's state, as `idle`, `mixed`, `allocated` or `down`."""
    done = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--format=%N %T"], capture_output=True, text=True
    )
    return dict(line.split() for line in done.stdout.splitlines())


def jobs() -> list[tuple[str, str, str]]:
    """The running jobs: their ids, nodes and comments, which name the rule."""
    listed = run("squeue", "--noheader", "--states=running", "--format=%A|%N|%k")
    return [tuple(line.split("|")) for line in listed.splitlines()]


def works(job: str) -> bool:
    """Whether a job is past its beginning: its script has started the step that does the work."""
    return f"{job}.0" in run("squeue", "--steps", "--noheader", "--format=%i").split()


def restart_controller() -> None:
    """End slurmctld, which saves its state, and start it again."""
    (process,) = _daemons("slurmctld")
    process.terminate()
    wait_until(lambda: not _daemons("slurmctld"), "the end of slurmctld")
    start_controller()


def kill_node(node: str) -> None:
    """Kill a node's slurmd with all that runs on it, as when the node lost its power."""
    daemons = [item for item in _daemons("slurmd") if item.info["cmdline"][-1] == node]
    steps = [step for number, where, _ in jobs() if where == node for step in _steps(number)]
    for process in daemons + steps:
        _kill_all(process)


def over_time(job: str) -> None:
    """Have a job hang, and its time be over in a moment; slurmctld sees that within 30 seconds."""
    freeze(job)
    run("scontrol", "update", f"JobId={job}", "EndTime=now+1")


def freeze(job: str) -> None:
    """Stop all processes of a job where they are."""
    for step in _steps(job):
        _signal(_below(step), signal.SIGSTOP)


def processes(job: str) -> list[psutil.Process]:
    """The processes of a job, below the daemons of its steps."""
    return [process for step in _steps(job) for process in _below(step)]


def state(job: str) -> str:
    """A job's state, as `RUNNING` or `FAILED`."""
    return run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T").strip()


def _steps(job: str) -> list[psutil.Process]:
    """The daemons of a job's steps: of its script, and of what that started."""
    return [item for item in _daemons("slurmstepd") if f"[{job}." in _words(item.info["cmdline"])]


def log() -> str:
    """What the nodes' daemons logged."""
    return "".join((PLACE / f"slurmd.{node}.log").read_text() for node in NODES)


def stop() -> None:
    """End every daemon and every job of the cluster, and remove what it wrote."""
    if not (CONFIGURATION.exists() and MARK in CONFIGURATION.read_text()):
        return
    for name in DAEMONS:
        for process in _daemons(name):
            _kill_all(process)
    shutil.rmtree(PLACE, ignore_errors=True)
    CONFIGURATION.unlink()


def _daemons(name: str) -> list[psutil.Process]:
    """Processes of a program; the machine's Slurm being ours, so are all but a munged elsewhere."""
    found = []
    for process in psutil.process_iter(["name", "cmdline"]):
        said = _words(process.info["cmdline"])  # none of one that has ended
        if process.info["name"] == name and said and (name != "munged" or str(PLACE) in said):
            found.append(process)
    return found


def _words(cmdline: list[str] | None) -> str:
    return " ".join(cmdline or []).strip()


def _kill_all(process: psutil.Process) -> None:
    """Kill a process and its descendants."""
    _signal([process, *_below(process)], signal.SIGKILL)


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
