"""Wrong compiler passes, and how one is planted behind a right pass of TVM's pipeline.

Run in the environment `tvm`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import relax_faults
import tir_faults

from deltann.tvm import levels
from deltann.tvm.passes import GraphPass

SEED = "deltann-passes-1"
RELAX, TIR, PAIR = "relax", "tir", "pair"
# Passes of O3 that can be made wrong on operators, in their order; and on kernels.
HOSTS = ("FoldBatchnormToConv2D", "CanonicalizeBindings", "FoldConstant")
HOSTS += ("EliminateCommonSubexpr", "CombineParallelConv2D", "CombineParallelMatmul")
KERNEL_HOSTS = ("FuseOps", "FoldConstant")
# Pairs of passes for each setting.
EACH_PAIR = 2


@dataclass(frozen=True)
class PassFault:
    """One pass that is wrong, or two that are wrong only together.

    Attributes:
        level: `relax`, `tir` or `pair`.
        setting: its name in `relax_faults` or `tir_faults`.
        hosts: the passes of `levels.PASSES` that do it, in their order.
        place: which of the operators or kernels that fit, as a share of them.
    """

    level: str
    setting: str
    hosts: tuple[str, ...]
    place: float

    @property
    def name(self) -> str:
        """What it is called in files."""
        return "-".join([self.level, self.setting, *self.hosts])

    def rewrites(self) -> list[Callable[[Any], Any]]:
        """What each of the hosts does besides."""
        if self.level == TIR:
            return [tir_faults.wrong_pass(self.setting, self.place)]
        if self.level == RELAX:
            changes: tuple[relax_faults.Change, ...] = (relax_faults.CHANGES[self.setting],)
        else:
            changes = relax_faults.PAIRS[self.setting]
        return [relax_faults.wrong_pass(change, self.place) for change in changes]

    def into(self, steps: list[tuple[str | None, Any]]) -> list[tuple[str | None, Any]]:
        """A pipeline with the hosts' further work: on operators early, on kernels at the end.

        With the first of a pair's hosts only, only its work is there.
        """
        for host, rewrite in zip(self.hosts, self.rewrites(), strict=False):
            places = [number for number, (name, _) in enumerate(steps, 1) if name == host]
            if places:
                at = places[-1 if self.level == TIR else 0]
                steps = [*steps[:at], (host, GraphPass(host, rewrite)), *steps[at:]]
        return steps


@contextmanager
def planted(fault: PassFault | None) -> Iterator[None]:
    """The hosts are wrong in what this process compiles meanwhile."""
    right = levels.kernel_pipeline

    def pipeline(*arguments: Any, **named: Any) -> list[tuple[str | None, Any]]:
        steps = right(*arguments, **named)
        return fault.into(steps) if fault else steps

    levels.kernel_pipeline = pipeline
    try:
        yield
    finally:
        levels.kernel_pipeline = right


def faults(network: str) -> list[PassFault]:
    """Those that are tried in a network; what doesn't fit there is left out."""
    choose = Random(f"{SEED} {network}")
    found = [
        PassFault(RELAX, setting, (choose.choice(HOSTS),), choose.random())
        for setting in relax_faults.CHANGES
    ]
    found += [
        PassFault(TIR, setting, (host,), choose.random())
        for setting in tir_faults.CHANGES
        for host in KERNEL_HOSTS
    ]
    for setting in relax_faults.PAIRS:
        for _ in range(EACH_PAIR):
            hosts = sorted(choose.sample(HOSTS, 2), key=HOSTS.index)
            found.append(PassFault(PAIR, setting, tuple(hosts), choose.random()))
    unique = list({fault.name: fault for fault in reversed(found)}.values())
    choose.shuffle(unique)
    return unique
