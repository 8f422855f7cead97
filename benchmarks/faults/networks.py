"""The networks that faults are planted in: small, of ten architectures, input (1, 3, 64, 96).

Five are for development, five are held out. No two are built alike. Run in the environment `torch`.
"""

import torch
from torch import nn
from torch.nn import functional as F

SHAPE = (1, 3, 64, 96)
CLASSES = 12


def unit(
    inputs: int,
    outputs: int,
    size: int | tuple[int, int] = 3,
    activation: nn.Module | None = None,
    epsilon: float = 1e-5,
    **settings: int | bool | tuple[int, int],
) -> nn.Sequential:
    """A convolution, its batch norm and an activation; padded so that stride 1 keeps the size."""
    sizes = size if isinstance(size, tuple) else (size, size)
    dilation = int(settings.get("dilation", 1))
    settings.setdefault("padding", tuple(dilation * (side - 1) // 2 for side in sizes))
    settings.setdefault("bias", False)
    layers = [nn.Conv2d(inputs, outputs, sizes, **settings), nn.BatchNorm2d(outputs, eps=epsilon)]
    return nn.Sequential(*layers, *([activation] if activation else []))


class Squeeze(nn.Module):
    """Squeeze and excitation with a hard sigmoid."""

    def __init__(self, channels: int):
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, 8, 1), nn.Conv2d(8, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * F.hardsigmoid(self.up(F.relu(self.down(x.mean((2, 3), keepdim=True)))))


class Inverted(nn.Module):
    """An inverted residual: wide inside, depthwise in the middle."""

    def __init__(self, inputs: int, outputs: int, activation: nn.Module, **settings: int):
        super().__init__()
        wide, size = 3 * inputs, settings.pop("size", 3)
        self.keeps = inputs == outputs and settings.get("stride", 1) == 1
        self.wide = unit(inputs, wide, 1, activation)
        self.depthwise = unit(wide, wide, size, activation, groups=wide, **settings)
        self.squeeze, self.narrow = Squeeze(wide), unit(wide, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.narrow(self.squeeze(self.depthwise(self.wide(x))))
        return x + y if self.keeps else y


class Plain(nn.Module):
    """Development: convolutions one after the other, flattened into dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU(),
            unit(16, 16, 3, nn.ReLU(), stride=2),
            nn.Conv2d(16, 24, 3, padding=1),
            nn.MaxPool2d(3, 2, 1),
            nn.LeakyReLU(0.1),
            unit(24, 24, 3, nn.LeakyReLU(0.02)),
            nn.AvgPool2d(2),
            unit(24, 8, 3, nn.ReLU(), epsilon=1e-3),
            nn.AvgPool2d(3, 2, 1, count_include_pad=False),
        )
        self.hidden, self.head = nn.Linear(8 * 4 * 6, 32), nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.relu(self.hidden(self.features(x).flatten(1))))


class Block(nn.Module):
    """A residual block."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.first = unit(inputs, outputs, 3, nn.ReLU(), stride=stride)
        self.second = unit(outputs, outputs, 3, groups=groups)
        self.skip = unit(inputs, outputs, 1, stride=stride) if inputs != outputs else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.skip(x) + self.second(self.first(x)))


class Residual(nn.Module):
    """Development: residual blocks, and a difference of two branches."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.pool = unit(3, 16, 7, stride=2), nn.MaxPool2d(3, 2, 1)
        self.blocks = nn.Sequential(Block(16, 16), Block(16, 24, 2), Block(24, 24, groups=4))
        self.left, self.right = unit(24, 24, 3, nn.ReLU()), unit(24, 24, 1, nn.Sigmoid())
        self.last, self.head = Block(24, 32, 2), nn.Linear(32, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(F.relu(self.pool(self.stem(x))))
        x = self.last(self.left(x) - self.right(x))
        return self.head(x.mean((2, 3)))


class Mobile(nn.Module):
    """Development: inverted residuals with ReLU6 and hard swish, padded as TensorFlow does."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(3, 12, 3, nn.ReLU6(), stride=2, padding=0)
        self.blocks = nn.Sequential(
            Inverted(12, 12, nn.ReLU6()),
            Inverted(12, 16, nn.ReLU6(), stride=2, size=5),
            Inverted(16, 16, nn.Hardswish()),
            Inverted(16, 20, nn.Hardswish(), stride=2),
            unit(20, 40, 3, nn.Hardswish(), groups=2),
        )
        self.head = nn.Linear(40, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.stem(F.pad(x, (0, 1, 0, 1))))
        return self.head(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Branches(nn.Module):
    """Development: parallel branches that are concatenated, padded average pools."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = unit(3, 16, 3, nn.ReLU(), stride=2, padding=0, epsilon=1e-3)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.one, self.three = unit(16, 12, 1, nn.ReLU()), unit(16, 12, 3, nn.ReLU())
        self.five = unit(16, 12, 3, nn.ReLU(), dilation=2)
        self.mean, self.behind = nn.AvgPool2d(3, 1, 1), unit(16, 12, 1, nn.ReLU())
        self.down = unit(48, 24, 3, nn.ReLU(), stride=2, epsilon=1e-3)
        self.up, self.low = unit(24, 16, 3, nn.Tanh()), unit(24, 16, 3, nn.ReLU())
        self.last, self.head = unit(16, 24, 3, nn.ReLU()), nn.Linear(24, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.stem(x))
        branches = [self.one(x), self.three(x), self.five(x), self.behind(self.mean(x))]
        x = self.down(torch.cat(branches, 1))
        x = self.last(torch.cat([self.up(x), self.low(x)], 2))
        return self.head(x.mean((2, 3)))


class Hourglass(nn.Module):
    """Development: down and up again, GELU, attention over places, tokens on a square."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.down = unit(3, 16, 3, nn.GELU(), stride=2), unit(16, 24, 3, stride=2)
        self.lowest = unit(24, 24, 3, nn.GELU(), stride=4)
        self.lateral, self.score = unit(24, 24, 1), nn.Conv2d(24, 1, 1)
        self.merge = unit(24, 24, 3, nn.GELU(), stride=4)
        self.tokens, self.channels = nn.Linear(24, 24), nn.Linear(24, 24)
        self.head = nn.Linear(24, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        high = self.down(self.stem(x))
        up = F.interpolate(self.lowest(high), scale_factor=4.0, mode="bilinear")
        x = F.leaky_relu(self.lateral(high) + up, 0.2)
        x = self.merge(x + F.interpolate(F.avg_pool2d(x, 4), (16, 24), mode="nearest"))
        weights = F.softmax(self.score(x).flatten(2), 2)
        tokens = x.flatten(2)
        tokens = tokens + F.gelu(self.tokens(tokens))
        tokens = tokens + self.channels(tokens.transpose(1, 2)).transpose(1, 2)
        return self.head((tokens * weights).sum(2))
