"""A tiny workflow with the repository's profile, run in a pipe or on a terminal."""

import fcntl
import os
import pty
import shutil
import struct
import subprocess
import termios
from pathlib import Path

from helpers.workspace import ROOT, SNAKEMAKE

SNAKEFILE = r"""
rule all:
    input: "slow.txt", "broken.txt"

rule slow:
    input: "quick.txt"
    output: "slow.txt"
    message: "Taking the time\n that it takes"
    shell: "sleep 2.5; touch {output}"

rule quick:
    output: "quick.txt"
    log: "logs/quick.log"
    message: "Making quick"
    shell: "echo fine > {log}; touch {output}"

rule broken:
    output: "broken.txt"
    log: "logs/broken.log"
    retries: 1
    message: "Breaking"
    shell:
        "{{ echo a first line; for line in $(seq 12); do echo line $line; done;"
        " printf ' 1 %%\\r \\033[31mthe cause\\033[0m\\a\\n\\n'; }} > {log}.part;"
        " mv {log}.part {log}; exit 3"

if config.get("refused"):
    from snakemake.exceptions import WorkflowError
    raise WorkflowError("config key refused: expected nothing")
"""


class Console:
    """A folder with the workflow."""

    def __init__(self, path: Path):
        self.path = path
        shutil.copytree(ROOT / "profiles", path / "profiles")
        (path / "Snakefile").write_text(SNAKEFILE)

    def pipe(self, *options: str) -> list[str]:
        """The lines that Snakemake prints in a pipe; those on stdout follow those on stderr."""
        done = subprocess.run(
            [SNAKEMAKE, *options],
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        first, *lines = (done.stderr + done.stdout).splitlines()
        assert first.startswith("Using workflow specific profile"), done.stderr + done.stdout
        return lines

    def terminal(self, *options: str) -> str:
        """What a terminal gets to see."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        process = subprocess.Popen(
            [SNAKEMAKE, *options],
            cwd=self.path,
            env=os.environ | {"TERM": "xterm"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the terminal's end
                break
            if not data:
                break
            seen += data
        os.close(ours)
        process.wait()
        return seen.decode()
