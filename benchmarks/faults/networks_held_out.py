"""The networks that are held out: thresholds of the tool are never chosen on them.

Run in the environment `torch`.
"""

import torch
from networks import CLASSES, Inverted, unit
from torch import nn
from torch.nn import functional as F


class Inception(nn.Module):
    """Long and flat kernels in parallel, pools that count their padding or round up."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 12, 3, nn.ReLU(), 1e-3, stride=2), unit(12, 16, 3))
        self.pool, self.a = nn.MaxPool2d(3, 2, 1), unit(16, 12, 1, nn.ReLU(), 1e-3)
        self.b = nn.Sequential(
            unit(16, 8, 1, nn.ReLU(), 1e-3),
            unit(8, 12, (1, 7), nn.ReLU(), 1e-3),
            unit(12, 12, (7, 1), nn.ReLU(), 1e-3),
        )
        self.c = nn.Sequential(
            nn.AvgPool2d(3, 1, 1, count_include_pad=False), unit(16, 12, 1, nn.ReLU(), 1e-3)
        )
        self.reduce = unit(36, 24, 3, nn.ReLU(), 1e-3, stride=2)
        self.shrunk = nn.AvgPool2d(3, 2, ceil_mode=True)
        self.d, self.e = unit(60, 16, 3, nn.ReLU(), 1e-3), unit(60, 16, 1, nn.ReLU(), 1e-3)
        self.last, self.head = unit(16, 32, 3, nn.ReLU(), 1e-3), nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.pool(self.stem(x)))
        x = torch.cat([self.a(x), self.b(x), self.c(x)], 1)
        x = torch.cat([self.reduce(x), self.shrunk(F.pad(x, (0, 1, 0, 1)))], 1)
        x = self.last(torch.cat([self.d(x), self.e(x)], 3))
        return self.head(x.mean((2, 3)))


class Growth(nn.Module):
    """A layer that reads all before it: norm and activation come before its convolution."""

    def __init__(self, inputs: int, outputs: int = 8):
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(F.relu(self.norm(x)))], 1)


class Dense(nn.Module):
    """Densely connected layers."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1, bias=False)
        self.first = nn.Sequential(nn.MaxPool2d(3, 2, 1), Growth(16), Growth(24), Growth(32))
        self.between = nn.Sequential(nn.BatchNorm2d(40), nn.ReLU(), nn.Conv2d(40, 20, 1))
        self.second = nn.Sequential(nn.AvgPool2d(2, 2), Growth(20), Growth(28), Growth(36))
        self.norm, self.head = nn.BatchNorm2d(44, eps=1e-3), nn.Linear(44, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(self.between(self.first(self.stem(x))))
        return self.head(F.relu(self.norm(x)).mean((2, 3)))


class Searched(nn.Module):
    """Inverted residuals of several kernels, dilated and grouped, as architecture search finds."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(3, 16, 3, nn.Hardswish(), stride=2)
        self.blocks = nn.Sequential(
            Inverted(16, 16, nn.ReLU6(), size=5),
            Inverted(16, 20, nn.ReLU6(), stride=2),
            Inverted(20, 20, nn.Hardswish(), dilation=2),
        )
        self.stretched = unit(20, 24, 3, nn.Hardswish(), stride=2, padding=0)
        self.grouped = unit(24, 24, 3, nn.ReLU6(), groups=3)
        self.multiplied = unit(24, 48, 3, nn.Hardswish(), groups=24)
        self.head = nn.Linear(48, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stretched(F.pad(self.blocks(self.stem(x)), (0, 1, 0, 1)))
        x = self.multiplied(x + self.grouped(x))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Pyramid(nn.Module):
    """A feature pyramid: coarse maps enlarged in two ways and added to fine ones."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(unit(3, 12, 5, nn.LeakyReLU(0.1), stride=2))
        self.c2 = unit(12, 16, 3, nn.LeakyReLU(0.1), stride=2)
        self.c3, self.c4 = unit(16, 20, 3, nn.GELU(), stride=2), unit(20, 24, 3, stride=2)
        self.l2, self.l3, self.l4 = unit(16, 16, 1), unit(20, 16, 1), unit(24, 16, 1)
        self.smooth, self.edge = unit(16, 16, 3, nn.LeakyReLU(0.3)), unit(16, 16, 3, nn.Sigmoid())
        self.score, self.pool = nn.Conv2d(16, 4, 1), nn.MaxPool2d(3, 2, 1)
        self.last, self.head = unit(20, 32, 3, nn.GELU(), stride=2), nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        c2 = self.c2(self.stem(x))
        c3 = self.c3(c2)
        p4 = self.l4(self.pool(self.c4(c3)))
        p3 = self.l3(c3) + F.interpolate(p4, (8, 12), mode="nearest")
        p2 = self.l2(c2) + F.interpolate(p3, (16, 24), mode="bilinear")
        x = self.smooth(p2) - self.edge(p2)
        x = torch.cat([x, F.softmax(self.score(x), 1)], 1)
        return self.head(self.last(x).mean((2, 3)))


class Mixer(nn.Module):
    """Patches mixed over places and channels, 24 of each; flattened into a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(3, 16, 4, nn.GELU(), stride=4, padding=0)
        self.patch = unit(16, 24, 4, stride=4, padding=0)
        self.places, self.channels = nn.Linear(24, 24), nn.Linear(24, 24)
        self.deep = unit(24, 24, 3, nn.GELU(), groups=24)
        self.point, self.narrow = unit(24, 24, 1, nn.LeakyReLU(0.2)), unit(24, 8, 3)
        self.hidden, self.head = nn.Linear(8 * 4 * 6, 24), nn.Linear(24, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patch(self.stem(x))
        tokens = x.flatten(2)
        tokens = tokens + F.gelu(self.places(tokens))
        tokens = tokens + F.gelu(self.channels(tokens.transpose(1, 2))).transpose(1, 2)
        x = tokens.reshape(-1, 24, 4, 6)
        x = x - self.point(self.deep(x))
        return self.head(F.gelu(self.hidden(F.relu(self.narrow(x)).flatten(1))))
