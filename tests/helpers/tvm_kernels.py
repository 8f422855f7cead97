"""Small networks of operators that image models have, compiled by the study's levels and schedules.

Run in TVM's environment: `tvm_kernels.py`. It prints as JSON, by network and by target and level,
the largest difference to PyTorch's answer over the largest number of that answer, the names of the
kernels, those that no schedule fits, and what each has to do.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from deltann.tvm.load import load_tvm

# Vectors of 4, 8 and 16; the last only where the processor has them.
TARGETS = {"x86-64-v2": "O0", "x86-64-v3": "O3", "host": "O4"}


class Attention(nn.Module):
    """Tokens of an image attend to each other; their number is a prime."""

    def __init__(self, side: int, width: int, heads: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, side, side)
        self.norm, self.attention = nn.LayerNorm(width), nn.MultiheadAttention(width, heads)
        self.first = nn.Parameter(torch.randn(1, 1, width))
        self.out = nn.Sequential(nn.Linear(width, 50), nn.GELU(), nn.Linear(50, 7))

    def forward(self, image):
        tokens = self.patches(image).flatten(2).permute(2, 0, 1)
        tokens = torch.cat([self.first, tokens])
        normal = self.norm(tokens)
        tokens = tokens + self.attention(normal, normal, normal, need_weights=False)[0]
        return self.out(tokens).mean(0)


class Squeezed(nn.Module):
    """Channels scaled by what their means say, which fill no whole blocks."""

    def __init__(self, channels: int, gate: nn.Module) -> None:
        super().__init__()
        self.before = nn.Sequential(nn.Conv2d(3, channels, 3, 2), nn.Hardswish())
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 6, 1), nn.ReLU(), nn.Conv2d(6, channels, 1)
        )
        self.gate, self.after = gate, nn.Conv2d(channels, 5, 1)

    def forward(self, image):
        data = self.before(image)
        return self.after(data * self.gate(self.scale(data))).flatten(1)


class Last(nn.Module):
    """ConvNeXt's block: a wide depthwise convolution, and products along the last axis."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.before = nn.Conv2d(3, channels, 4, 4)
        self.wide = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.up, self.down = nn.Linear(channels, 3 * channels), nn.Linear(3 * channels, channels)

    def forward(self, image):
        data = self.before(image)
        rows = self.norm(self.wide(data).permute(0, 2, 3, 1))
        rows = self.down(nn.functional.gelu(self.up(rows), approximate="tanh"))
        return (data + rows.permute(0, 3, 1, 2)).mean((2, 3))


class Shuffled(nn.Module):
    """ShuffleNet's units: one half of the channels is convolved, then the halves are mixed."""

    def __init__(self, channels: int, groups: int, last: bool) -> None:
        super().__init__()
        self.groups, self.last = groups, last
        self.before = nn.Conv2d(3, channels, 3, 2)
        half = channels // 2
        self.units = nn.ModuleList(nn.Conv2d(half, half, 3, padding=1) for _ in range(3))
        self.after = nn.Conv2d(channels, 5, 1)

    def mixed(self, data):
        if self.last:  # as a network of channels last does it
            data = data.permute(0, 2, 3, 1)
            apart = data.unflatten(3, (self.groups, -1)).transpose(3, 4)
            return apart.flatten(3).permute(0, 3, 1, 2)
        return data.unflatten(1, (self.groups, -1)).transpose(1, 2).flatten(1, 2)

    def forward(self, image):
        data = self.before(image)
        for unit in self.units:
            kept, taken = data.chunk(2, 1)
            data = self.mixed(torch.cat([kept, unit(taken).relu()], 1))
        return self.after(data).mean((2, 3))


class Joined(nn.Module):
    """Results joined, cut and added, whose channels fill no whole blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Conv2d(3, 5, 3, 2), nn.Conv2d(3, 18, 3, 2)
        self.after, self.pool = nn.Conv2d(15, 7, 3), nn.MaxPool2d(3, 2)

    def forward(self, image):
        one, other = self.one(image), self.other(image)
        data = torch.cat([one, other, one], 1)
        cut = data[:, 3:18] + data[:, 8:23]
        pooled = self.pool(data[:, -7:])
        return torch.cat([self.after(cut).mean((2, 3)), pooled.mean((2, 3)), data[:, 4, :3, 5]], 1)


def grouped(groups: int, taken: int, given: int, **settings) -> nn.Module:
    """A convolution of groups between two others, which keep its tensors packed."""
    return nn.Sequential(
        nn.Conv2d(3, groups * taken, 3),
        nn.Conv2d(groups * taken, groups * given, 3, groups=groups, **settings),
        nn.ReLU(),
        nn.Conv2d(groups * given, 5, 1),
        nn.Flatten(),
    )


def networks() -> dict[str, nn.Module]:
    """The networks by name."""
    torch.manual_seed(0)
    return {
        "attention": Attention(8, 24, 3),
        "attention, narrow": Attention(9, 22, 2),
        "squeezed, sigmoid": Squeezed(20, nn.Sigmoid()),
        "squeezed, hardsigmoid": Squeezed(16, nn.Hardsigmoid()),
        "last axis": Last(20),
        "shuffled": Shuffled(22, 2, False),
        "shuffled, channels last": Shuffled(36, 3, True),
        "joined": Joined(),
        "groups of 4": grouped(8, 4, 4),
        "groups of 8": grouped(4, 8, 8, stride=2),
        "13 groups of 8": grouped(13, 8, 8, padding=1),
        "groups of 16 to 32": grouped(2, 16, 32),
        "groups of 3": grouped(5, 3, 3, dilation=2),
        "dilated depthwise": grouped(20, 1, 1, dilation=2, padding=2),
        "SiLU": nn.Sequential(nn.Conv2d(3, 18, 3), nn.SiLU(), nn.Conv2d(18, 5, 3), nn.Flatten()),
        "softmax": nn.Sequential(nn.Conv2d(3, 5, 3, 2), nn.Flatten(2), nn.Softmax(-1)),
        "rows": nn.Sequential(nn.Flatten(2), nn.Linear(35 * 35, 48), nn.LayerNorm(48)),
    }


def result(network: nn.Module, image: torch.Tensor, target: str, level: str, folder: Path) -> dict:
    """Compile a network and run it on an image, in a side of 35 pixels."""
    tvm = load_tvm()
    from tvm.relax import VirtualMachine
    from tvm.relax.frontend.torch import from_exported_program

    from deltann.tvm import levels, pipeline, target_kinds

    kind = target_kinds.get(target_kinds.CPU)
    processor = tvm.target.Target(kind.resolve({"kind": "llvm", "mcpu": target}))
    program = torch.export.export(network, (image,))
    module = from_exported_program(program, unwrap_unit_return_tuple=True)
    passes = list(levels.LEVELS[level])
    steps = levels.kernel_pipeline(passes, kind, processor, own_kernels=True)
    library, script = folder / "library.so", folder / "kernels.py"
    outputs = pipeline.Outputs(library, folder / "graph.py", script)
    details = pipeline.compile_module(
        module, processor, steps, passes, "rules", None, outputs, pipeline.Clock()
    )
    machine = VirtualMachine(tvm.runtime.load_module(str(library)), tvm.cpu())
    answer = machine["main"](tvm.runtime.tensor(image.numpy())).numpy()
    with torch.no_grad():
        expected = network(image).numpy()
    return {
        "difference": float(np.abs(answer - expected).max() / np.abs(expected).max()),
        "kernels": sorted(details["code_bytes"]),
        "unscheduled": details["unscheduled"],
        "work": details["work"],
    }


def main() -> None:
    """Print the results."""
    image = torch.rand(1, 3, 35, 35, generator=torch.Generator().manual_seed(1))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, network in networks().items():
            for target, level in TARGETS.items():
                here = Path(folder) / f"{len(found)}"  # a library that is loaded stays so
                here.mkdir()
                found[f"{name}, {target}"] = result(network.eval(), image, target, level, here)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
