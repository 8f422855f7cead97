"""A device, an entry of the config's `devices`: its TVM target, and the machine that runs it."""

import platform
import re

from deltann.errors import StudyError
from deltann.tvm import target_kinds
from deltann.tvm.llvm_names import HOST
from deltann.tvm.target_kinds import CPU


def check(name: str, described: dict) -> None:
    """Check a device's entry, without TVM.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    key = f"devices.{name}"
    target_kinds.check(f"{key}.target", described["target"])
    host = described["target"].get("host", described["target"])
    if emulated(described) and "rpc" not in described:
        raise StudyError(
            f"config key {key}.emulated: true without rpc; expected rpc too: the server that "
            "emulates the device"
        )
    if "rpc" in described:
        if described["native"]:
            raise StudyError(
                f"config key {key}.native: true with rpc; expected false: an RPC server runs only "
                "what TVM compiled"
            )
        for word in ("gres", "exclusive"):
            if word in described.get("slurm", {}):
                raise StudyError(
                    f"config key {key}.slurm.{word}: {described['slurm'][word]!r} with rpc; "
                    "expected none: the cell runs on the server's machine, not on a node"
                )
        if host.get("mcpu") == HOST:
            raise StudyError(
                f"config key {key}.target.mcpu: {HOST!r} is this machine's processor, but rpc is "
                "another machine; expected the name of that machine's processor"
            )
        return
    architecture = host.get("mtriple", platform.machine()).split("-")[0]
    if architecture != platform.machine():
        raise StudyError(
            f"config key {key}.target.mtriple: {host['mtriple']!r}, but this machine is "
            f"{platform.machine()}; expected rpc too: the server that runs such code"
        )


def is_processor(described: dict) -> bool:
    """Whether a device is this machine's processor, where kernels can be measured and compared."""
    return described["target"]["kind"] == CPU and "rpc" not in described


def emulated(described: dict) -> bool:
    """Whether a device is emulated: its answers count, and times there mean nothing."""
    return described.get("emulated", False)


def placement(config: dict, name: str) -> dict:
    """Where a cell runs: the `--device` of the stage `infer`.

    Returns:
        `kind`, the target's; `threads`, 0 for all; and for a machine behind an RPC server `rpc`:
        its host, port and key, the device's name, and the seconds after which the server ends an
        abandoned session; and `emulated`, true for a device whose times mean nothing.
    """
    described = config["devices"][name]
    result = {"kind": described["target"]["kind"], "threads": described.get("threads", 0)}
    if emulated(described):
        result["emulated"] = True
    if "rpc" in described:
        seconds = config["limits"]["infer"]["seconds"]
        result["rpc"] = described["rpc"] | {"device": name, "seconds": seconds}
    return result


def works_here(described: dict) -> bool:
    """Whether a cell's work takes this machine's processors: an emulator is most often here too."""
    return "rpc" not in described or emulated(described)


def lock(described: dict) -> str | None:
    """The Snakemake resource that a job holds while it times on a device: one per RPC server.

    None for a device of this machine: there a timed job holds all cores.
    """
    if "rpc" not in described:
        return None
    # Two servers may get the same name: their jobs then only wait for each other.
    return re.sub(r"\W", "_", f"device_{described['rpc']['host']}_{described['rpc']['port']}")
