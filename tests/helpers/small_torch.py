"""Small PyTorch models with what the paper's have, and their input."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

SIZE, CLASSES = 64, 10


def pixels(path: Path) -> np.ndarray:
    """A photograph squeezed to the models' size, (3, SIZE, SIZE) in -1..1."""
    image = Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
    return (np.asarray(image, np.float32).transpose(2, 0, 1) / 255 - 0.5) / 0.5


class Network(nn.Module):
    """Convolutions with batch norms and a branch."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.branch = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.pool = nn.Sequential(nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(8, CLASSES)

    def forward(self, batch):
        stem = self.stem(batch)
        return self.head(self.pool(stem + self.branch(stem)))


def network() -> nn.Module:
    """The PyTorch model, with batch norms that do something."""
    torch.manual_seed(0)
    made = Network().eval()
    nn.init.normal_(made.head.weight)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                nn.init.uniform_(values, 0.5, 2.0)
    return made


class Branched(nn.Module):
    """A batch norm behind each convolution, and two convolutions that read the same.

    With a bias between, `FoldBatchnormToConv2D` would find no batch norm behind a convolution.
    """

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.stem = self.block(3, channels, 3, stride=2, padding=1)
        self.left = self.block(channels, channels, 1)
        self.right = self.block(channels, 2 * channels, 1)
        self.last = nn.Linear(3 * channels, classes)
        nn.init.normal_(self.last.weight, std=0.5)

    @staticmethod
    def block(inputs: int, outputs: int, size: int, **settings) -> nn.Sequential:
        norm = nn.BatchNorm2d(outputs)
        norm.running_mean.uniform_(-0.2, 0.2)
        norm.running_var.uniform_(0.1, 0.5)
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, size, bias=False, **settings), norm, nn.ReLU()
        )

    def forward(self, batch):
        stem = self.stem(batch)
        joined = torch.cat([self.left(stem), self.right(stem)], 1)
        return self.last(joined.mean((2, 3)))
