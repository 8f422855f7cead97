"""A device: what kernels are made for and where they run, an entry of the config's `devices`."""

import platform
import re

from deltann.errors import StudyError, check_known

CPU, CUDA = "llvm", "cuda"
KINDS = (CPU, CUDA)
# In the place of a processor's name: this machine's.
HOST = "host"
# The keys of TVM's targets that a config may set, by kind.
TARGET_KEYS = {CPU: ("kind", "mcpu", "mtriple", "mattr"), CUDA: ("kind", "arch", "host")}


def check(name: str, described: dict) -> None:
    """Check a device's entry as far as possible without TVM.

    Raises:
        StudyError: naming the key, the value, and what was expected.
    """
    key = f"devices.{name}"
    _check_target(f"{key}.target", described["target"])
    host = described["target"].get("host", described["target"])
    if "rpc" in described:
        if described["native"]:
            raise StudyError(
                f"config key {key}.native: true beside rpc; expected false: an RPC server runs "
                "what TVM compiled, no framework's own runtime"
            )
        for word in ("gres", "exclusive"):
            if word in described.get("slurm", {}):
                raise StudyError(
                    f"config key {key}.slurm.{word}: {described['slurm'][word]!r} beside rpc; "
                    "expected none: the server's machine times, and no node of the cluster"
                )
        if host.get("mcpu") == HOST:
            raise StudyError(
                f"config key {key}.target.mcpu: {HOST!r} is this machine's processor, and rpc is "
                "another machine; expected the name of its processor"
            )
        return
    architecture = host.get("mtriple", platform.machine()).split("-")[0]
    if architecture != platform.machine():
        raise StudyError(
            f"config key {key}.target.mtriple: {host['mtriple']!r}, and this machine is "
            f"{platform.machine()}; expected rpc beside it, the server that runs such code"
        )


def _check_target(key: str, target: dict) -> None:
    check_known(f"{key}.kind", target["kind"], KINDS, "kind")
    for name in target:
        check_known(f"{key}.{name}", name, TARGET_KEYS[target["kind"]], "key")
    if target["kind"] == CUDA and "arch" not in target:
        raise StudyError(
            f"config key {key}.arch is missing; expected sm_ and the GPU's compute capability, as "
            "sm_80"
        )
    if "host" in target:
        _check_target(f"{key}.host", target["host"])
        if target["host"]["kind"] != CPU:
            raise StudyError(
                f"config key {key}.host.kind: {target['host']['kind']!r}; expected {CPU}"
            )


def is_processor(described: dict) -> bool:
    """Whether it is this machine's processor, where kernels can be measured and compared."""
    return described["target"]["kind"] == CPU and "rpc" not in described


def resolve(target: dict) -> dict:
    """The target that TVM takes: `mcpu: host` is this machine's processor with all its features.

    A GPU's host, unless there is one in the config, is any machine of this one's architecture.
    """
    if target["kind"] == CUDA:
        return target | {"host": resolve(target.get("host", {"kind": CPU}))}
    if target.get("mcpu") != HOST:
        return target
    from tvm.target import codegen

    return target | {"mcpu": codegen.llvm_get_system_cpu()}


def placement(config: dict, name: str) -> dict:
    """Where a cell runs, as the stage `infer` is told.

    Returns:
        `kind` of the target; `threads`, 0 for all; for a machine behind an RPC server, `rpc`:
        its host, port and key, the device's name, and the seconds after which the server ends a
        session that nobody ended.
    """
    described = config["devices"][name]
    found = {"kind": described["target"]["kind"], "threads": described.get("threads", 0)}
    if "rpc" in described:
        seconds = config["limits"]["infer"]["seconds"]
        found["rpc"] = described["rpc"] | {"device": name, "seconds": seconds}
    return found


def lock(described: dict) -> str | None:
    """The resource that a job holds while it times on a device: one for each RPC server.

    None for a device that is part of this machine, all of whose cores a timed job holds.
    """
    if "rpc" not in described:
        return None
    # a resource's name is a word; two servers that get the same one only wait for each other
    return re.sub(r"\W", "_", f"device_{described['rpc']['host']}_{described['rpc']['port']}")
