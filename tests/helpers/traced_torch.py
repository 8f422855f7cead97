"""Small PyTorch networks that together have every operator that the tracer has a word for."""

from pathlib import Path

import numpy as np
import torch
import torch.ao.quantization.fx._decomposed  # registers the operators of quantized programs
from torch import nn
from torch.nn import functional as F

from deltann.editors import torch as editor
from deltann.formats import exported_program
from deltann.steps import Operator
from deltann.tracers.torch import Tracer

SHAPE = (1, 3, 17, 12)


def image() -> np.ndarray:
    """A test image, (1, 3, 17, 12) float32."""
    return np.random.default_rng(7).standard_normal(SHAPE).astype(np.float32)


def saved(network: nn.Module, path: Path) -> Path:
    """The file of a network, saved as the study saves one."""
    exported_program.save(network, SHAPE, path)
    return path


class Layers(nn.Module):
    """Convolutions, norms, activations and pooling, as modules that hooks can be put on."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.steps = nn.Sequential(
            nn.Conv2d(3, 8, (3, 2), padding="same", bias=False),
            nn.BatchNorm2d(8, eps=1e-3),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),
            nn.ReLU6(),
            nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=(1, 0)),
            nn.LeakyReLU(0.2),
            nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
            nn.GELU(approximate="tanh"),
            nn.Conv2d(6, 8, 3, dilation=2, padding=2, stride=(1, 2)),
            nn.SiLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Hardswish(),
            nn.ELU(0.7),
            nn.PReLU(8),
            nn.Hardsigmoid(),
            nn.Upsample(scale_factor=2, mode="nearest"),
            nn.Sigmoid(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(),
            nn.Linear(8, 5),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, std=0.6)
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.bias, module.running_mean, module.running_var):
                    nn.init.uniform_(values, 0.5, 2.0)

    def forward(self, batch):
        return self.steps(batch)


class Function(nn.Module):
    """A module that calls a function."""

    def __init__(self, function):
        super().__init__()
        self.forward = lambda batch: function(batch)


class Functions(nn.Module):
    """Arithmetic, and what moves numbers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(2)
        self.register_buffer("deviation", torch.tensor([0.5, 0.25, 2.0]).reshape(1, 3, 1, 1))
        self.register_buffer("rows", torch.rand(17, 1))
        self.register_buffer("matrix", torch.randn(24, 5))
        self.register_buffer("offset", torch.randn(5))

    def forward(self, batch):
        x = 1 - (batch - 0.5) / self.deviation
        x = torch.maximum(x * self.rows, torch.tensor(-3.0)) + 2 * batch.abs()
        x = F.pad(x, (1, 2, 0, 3), value=0.25)
        x = F.pad(x, (1, 1, 1, 1), mode="reflect").clamp(min=-2).clamp(-1.5, 4)
        x = F.interpolate(x, size=(13, 9), mode="bilinear", align_corners=True)
        x = F.interpolate(x, scale_factor=1.3, mode="nearest-exact")
        x = F.interpolate(x, size=(12, 9), mode="bicubic")
        x = torch.cat([x, x[:, 1:, ::2].repeat_interleave(2, 2)], 1)
        first, second, third = x.split((1, 3, 1), 1)
        x = torch.cat([second - first, torch.atan(third)], 1)
        x = x.permute(0, 2, 3, 1).transpose(1, 2).contiguous()
        x = (x.flatten(1)[:, :192].view(1, 8, 24) @ self.matrix).softmax(-1)
        x = torch.addmm(self.offset, x[:, 2], self.matrix[:5] * 2, beta=0.5)
        return (x.pow(2) + x.to(torch.float64).to(torch.float32).sum(1, keepdim=True)).log_softmax(
            1
        )


class Shared(nn.Module):
    """Two convolutions with the same weights, and a residual."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.weight = nn.Parameter(torch.randn(3, 3, 3, 3) / 4)
        self.last = nn.Linear(3, 5)

    def forward(self, batch):
        one = F.conv2d(batch, self.weight, padding=1).relu()
        other = F.conv2d(one, self.weight, padding=1).tanh()
        return self.last((other - one).mean((2, 3)))


class InPlace(nn.Module):
    """Changes a part of a tensor that is read again."""

    def forward(self, batch):
        batch = batch + 1
        part = batch[:, :, :5]
        part.mul_(3)
        return F.relu_(batch).mean((2, 3))


class Trained(nn.Module):
    """A batch norm in training mode."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3).train()

    def forward(self, batch):
        return self.norm(batch).amax((2, 3))


class Quantized(nn.Module):
    """A convolution in 8 bits, as torchao writes one."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.register_buffer("stored", torch.randint(-127, 128, (6, 3, 3, 3), dtype=torch.int8))
        self.register_buffer("scales", torch.rand(6) / 100 + 0.001)
        self.register_buffer("zeros", torch.zeros(6, dtype=torch.int64))

    def forward(self, batch):
        ops = torch.ops.quantized_decomposed
        limits = (0, 255, torch.uint8)
        small = ops.quantize_per_tensor(batch, 0.03, 120, *limits)
        batch = ops.dequantize_per_tensor(small, 0.03, 120, *limits)
        weight = ops.dequantize_per_channel(
            self.stored, self.scales, self.zeros, 0, -127, 127, torch.int8
        )
        return F.conv2d(batch, weight).mean((2, 3))


NETWORKS = (Functions, InPlace, Layers, Quantized, Shared, Trained)


def files(folder: Path) -> dict[str, Path]:
    """Each network's file, by the class's name."""
    names = {made: folder / f"{made.__name__}.pt2" for made in NETWORKS}
    return {made.__name__: saved(evaluated(made), path) for made, path in names.items()}


def evaluated(made):
    return made() if made is Trained else made().eval()


def operators(path) -> dict[str, Operator]:
    with Tracer(path) as tracer:
        return {operator.name: operator for operator in tracer.operators()}


def traced(path, *names, **replaced) -> list[np.ndarray]:
    """Some tensors of a file for the test image; without names, its logits."""
    with Tracer(path) as tracer:
        wanted = names or (tracer.output,)
        found = tracer.run(image(), wanted, replaced)
        assert {*found} == {*wanted}
        return [found[name] for name in wanted]


def answer(path) -> np.ndarray:
    """A file's logits for the test image, by PyTorch alone, twice the same."""
    module = torch.export.load(path).module()
    with torch.no_grad():
        one, other = (module(torch.from_numpy(image())).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, other)
    return one


def edited(path, tmp_path, *edits) -> np.ndarray:
    """The logits of an edited copy."""
    editor.apply(path, edits, tmp_path / "edited.pt2")
    return answer(tmp_path / "edited.pt2")
