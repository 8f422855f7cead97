"""A small PyTorch model with what the paper's have, and its input."""

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
