"""Ask LLVM, before anything runs, whether it knows the processors that a config names."""

import json
import subprocess
from pathlib import Path

from deltann.errors import StudyError
from deltann.provenance import files
from deltann.study import layout
from deltann.tvm import llvm_names
from deltann.tvm.target_kinds import CPU


def named(config: dict) -> dict[str, dict]:
    """The processors that a config names, by their keys: what LLVM is asked about."""
    found = {}
    for name, described in config["devices"].items():
        key, target = f"devices.{name}.target", described["target"]
        if target["kind"] != CPU:
            key, target = f"{key}.host", target.get("host", {})
        words = {word: target[word] for word in llvm_names.NAMED if word in target}
        if words not in ({}, {"mcpu": llvm_names.HOST}):
            found[key] = words
    return found


def check(config: dict, state: Path) -> None:
    """Refuse a name that LLVM doesn't know, by every version of TVM that is installed.

    One that isn't installed yet is asked by the first job that compiles.

    Args:
        config: of the study.
        state: a folder, to remember which names were known.

    Raises:
        StudyError: naming the key, the value, and the closest name that LLVM knows.
    """
    asked = json.dumps(named(config), sort_keys=True)
    for environment in sorted(set(config["compilers"].values())):
        manifest = Path(layout.manifest(environment))
        if asked == "{}" or not manifest.is_file():
            continue
        remembered = state / f"deltann.targets.{environment}"
        question = files.checksum_bytes(manifest.read_bytes() + asked.encode())
        if remembered.is_file() and remembered.read_text() == question:
            continue
        command = [*layout.interpreter(environment), "scripts/check_targets.py"]
        try:
            done = subprocess.run(
                [*command, "--targets", asked], capture_output=True, text=True, check=True
            )
        except (OSError, subprocess.CalledProcessError):
            continue  # a broken environment: its jobs say what to do
        if done.stdout:
            raise StudyError(done.stdout.strip())
        files.write_text(remembered, question)
