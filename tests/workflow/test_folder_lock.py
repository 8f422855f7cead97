"""One run per folder: beside another one here, on another host, and after a `kill -9`."""

import platform
import subprocess
import time

import pytest

from helpers.workspace import SMALL, kill_family, start, wait_for

# Another host on the same file system: another name, and where locks don't cross, another file.
HOST = ["unshare", "--uts", "--mount", "sh", "-c", 'hostname elsewhere && exec "$@"', "sh"]
LOCKLESS = [
    *HOST[:5],
    "hostname elsewhere && mkdir -p .snakemake && touch .snakemake/deltann.lock && "
    'mount --bind "$(mktemp)" .snakemake/deltann.lock && exec "$@"',
    "sh",
]
OTHERS = {"here": [], "another host": HOST, "another host, locks don't cross": LOCKLESS}


def other(prefix: list[str], space, config, *targets: str) -> subprocess.CompletedProcess:
    """Snakemake run to its end behind a prefix."""
    return subprocess.run(
        [*prefix, *space.command(config, targets=targets)],
        cwd=space.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def hosts():
    """The prefixes; only root can make hosts."""
    if subprocess.run([*HOST, "true"], capture_output=True).returncode:
        return {"here": []}
    return OTHERS


def test_a_second_run_is_refused_on_every_host(workspace, hosts):
    config = workspace.config("holder", **SMALL)
    first = start(workspace, config)
    wait_for(first, "scripts/")
    try:
        for where, prefix in hosts.items():
            done = other(prefix, workspace, workspace.config("comer", **SMALL))
            said = done.stdout + done.stderr
            assert done.returncode, where
            assert f"another run is under way in {workspace.path}" in said, said[-3000:]
            assert f"process {first.pid} on host {platform.node()}. Wait" in said
            assert "Traceback" not in said
            assert not (workspace.path / "results/comer").exists()
        assert workspace.snakemake(config, "--dry-run").returncode == 0
        assert first.poll() is None
    finally:
        kill_family(first)
    # what the killed run left keeps nobody out
    for number, (where, prefix) in enumerate(reversed(hosts.items())):
        begun = time.monotonic()
        config = workspace.config(f"after-{number}", **SMALL)
        done = other(prefix, workspace, config, f"results/after-{number}/cells.txt")
        assert done.returncode == 0, where + done.stdout[-3000:] + done.stderr[-3000:]
        assert time.monotonic() - begun < 60


def test_two_that_begin_at_the_same_moment(workspace, hosts):
    """Where locks don't cross, one of the two at most goes on."""
    prefix = hosts.get("another host, locks don't cross", [])
    runs = []
    for number, before in enumerate(([], prefix)):
        config = workspace.config(f"both-{number}", **SMALL)
        runs.append(
            subprocess.Popen(
                [*before, *workspace.command(config)],
                cwd=workspace.path,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    try:
        end = time.monotonic() + 60
        while all(run.poll() is None for run in runs):
            assert time.monotonic() < end, "both go on"
            time.sleep(0.2)
        (loser,) = [run for run in runs if run.poll() is not None]
        assert loser.returncode
        assert "another run is under way in" in loser.stdout.read()
        # had both seen an empty folder, the last to write would have won, and the other sees that
        owner = workspace.path / ".snakemake/deltann.owner"
        owner.write_text('{"host": "third", "boot": "", "pid": 7, "token": "other", "beat": "1"}')
        (winner,) = [run for run in runs if run is not loser]
        assert winner.wait(60)
        assert "process 7 on host third" in winner.stdout.read()
        assert '"third"' in owner.read_text()
    finally:
        for run in runs:
            if run.poll() is None:
                kill_family(run)


def test_a_run_with_nothing_to_do_is_not_refused(workspace):
    """`make verify` beside a run."""
    config = workspace.config("beside", **SMALL)
    first = start(workspace, config)
    wait_for(first, "scripts/")
    try:
        said = workspace.run(config, targets=("results/environments/analysis.json",))
        assert "Nothing to be done" in said
        assert first.poll() is None
    finally:
        kill_family(first)
