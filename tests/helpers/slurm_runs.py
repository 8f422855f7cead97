"""The whole command on the cluster: under way, finished, killed."""

import signal
import subprocess
import time
from pathlib import Path

from helpers import cluster
from helpers.workspace import SNAKEMAKE

ON_CLUSTER = [str(SNAKEMAKE), "--cores", "all", "--profile", "slurm", "--configfile"]


class Run:
    """A run of the whole command under way, and what it has said."""

    def __init__(self, space, config, *options: str, **more: object):
        self.log = config.with_suffix(f".{time.monotonic_ns()}.log")
        with open(self.log, "w") as stream:
            self.process = subprocess.Popen(
                [*ON_CLUSTER, str(config), *options],
                cwd=space.path,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                **more,
            )

    def output(self) -> str:
        return self.log.read_text()

    def finish(self) -> str:
        """Wait for the end, which must be a success; what was said."""
        assert self.process.wait(600) == 0, self.output()[-6000:]
        return self.output()

    def kill(self) -> None:
        """Kill Snakemake alone; its jobs and submissions go on."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def in_mid_job(self, rule: str) -> tuple[str, str]:
        """Wait until a job of a rule is at work; its id and node."""
        found = []

        def running():
            assert self.process.poll() is None, self.output()[-6000:]
            found[:] = at_work(rule)
            return found

        cluster.wait_until(running, f"a running job of {rule}", 240)
        time.sleep(1)
        return found[0][:2]

    def frozen_in_mid_job(self, rule: str) -> tuple[str, str]:
        """Wait until a job of a rule is at work, and stop its processes; its id and node."""
        while True:
            job = self.in_mid_job(rule)
            cluster.freeze(job[0])
            if job in [running[:2] for running in at_work(rule)]:
                return job

    def wait_for(self, words: str) -> None:
        cluster.wait_until(lambda: words in self.output(), f"{words!r} in {self.log}", 150)

    def wait_for_file(self, path: Path, seconds: float = 240) -> None:
        def there():
            assert self.process.poll() is None, self.output()[-6000:]
            return path.exists()

        cluster.wait_until(there, f"{path}\n{self.output()[-3000:]}", seconds)


def at_work(rule: str) -> list[tuple[str, str, str]]:
    """The jobs of a rule that are past their beginning."""
    of_rule = [job for job in cluster.jobs() if job[2].startswith(f"rule_{rule}")]
    return [job for job in of_rule if cluster.works(job[0])]
