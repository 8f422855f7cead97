"""Changes of `traced_torch.Layers`: as edits of its file, and as changes of its modules."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from deltann.edits import Insert
from helpers.traced_torch import Function, Layers, image


def changed_layers(*changes) -> np.ndarray:
    """The logits of `Layers` with its modules changed by functions."""
    network = Layers().eval()
    for change in changes:
        change(network.steps)
    with torch.no_grad():
        return network(torch.from_numpy(image())).numpy()


def set_to(place: int, **attributes):
    """A function that sets attributes of one of the modules of `Layers`."""

    def change(steps):
        for name, value in attributes.items():
            setattr(steps[place], name, value)

    return change


def followed(place: int, function, **attributes):
    """A function that sets attributes of a module of `Layers` and puts a function behind it."""

    def change(steps):
        set_to(place, **attributes)(steps)
        steps[place] = nn.Sequential(steps[place], Function(function))

    return change


def preceded(place: int, function, **attributes):
    """A function that sets attributes of a module of `Layers` and puts a function before it."""

    def change(steps):
        set_to(place, **attributes)(steps)
        steps[place] = nn.Sequential(Function(function), steps[place])

    return change


def instead(place: int, function):
    """A function that puts a function in the place of a module of `Layers`."""

    def change(steps):
        steps[place] = Function(function)

    return change


def one_sided(batch):
    """The average of what is inside the image, of windows that begin outside."""
    sums = nn.AvgPool2d(3, 2, ceil_mode=True, divisor_override=1)
    ones = torch.ones_like(batch)
    return sums(F.pad(batch, (2, 0, 1, 0))) / sums(F.pad(ones, (2, 0, 1, 0)))


def upper_left(batch):
    """Twice as many pixels, by the coordinates half_pixel and rounded down."""
    return batch[:, :, [0, 0, 0, 1, 1, 2, 2, 3, 3, 4]][:, :, :, [0, 0, 0, 1]]


def upper_left_linear(batch):
    """Twice as many pixels of 5 by 2, by asymmetric coordinates: every other one is there."""
    return F.interpolate(batch, size=(9, 3), mode="bilinear", align_corners=True)[
        :, :, [*range(9), 8]
    ][:, :, :, [0, 1, 2, 2]]


NOTHING = set_to(0)
# what is set at once, and the same change of the network
SET = [
    [
        (("batch_norm", "epsilon", 0.1), set_to(1, eps=0.1)),
        (
            ("conv2d_1", "pads", [0, 0, 2, 2]),
            preceded(3, nn.ZeroPad2d((0, 2, 0, 2)), padding=(0, 0)),
        ),
        (("hardtanh", "max", 0.75), set_to(4, max_val=0.75)),
        (("leaky_relu", "slope", 0.01), set_to(6, negative_slope=0.01)),
        (("avg_pool2d", "count_include_pad", True), set_to(7, count_include_pad=True)),
        (
            ("conv2d_2", "activation", {"kind": "clip", "min": 0, "max": 1}),
            followed(9, nn.Hardtanh(0, 1)),
        ),
        (("hardsigmoid", "alpha", 0.2), instead(15, lambda batch: (batch / 5 + 0.5).clamp(0, 1))),
        (("upsample_nearest2d", "coordinates", "half_pixel"), instead(16, upper_left)),
    ],
    [
        (("batch_norm", "training", True), set_to(1, training=True)),
        (("hardtanh", "min", -0.25), set_to(4, min_val=-0.25)),
        (
            ("conv_transpose2d", "pads", [2, 2, 0, 0]),
            followed(5, lambda batch: batch[:, :, 2:, 2:], padding=(0, 0)),
        ),
        (("avg_pool2d", "divisor", 4), set_to(7, divisor_override=4)),
        (("conv2d_2", "dilations", [1, 1]), set_to(9, dilation=(1, 1), padding=(1, 1))),
        (("conv2d_2", "pads", [1, 1, 1, 1]), NOTHING),
        (("elu", "alpha", 1.5), set_to(13, alpha=1.5)),
        (("upsample_nearest2d", "mode", "linear"), set_to(16, mode="bilinear")),
        (("upsample_nearest2d", "coordinates", "half_pixel"), NOTHING),
    ],
    [
        (("hardtanh", "max", None), instead(4, F.relu)),
        (("gelu", "approximate", "none"), set_to(8, approximate="none")),
        (("avg_pool2d", "pads", [1, 2, 0, 0]), instead(7, one_sided)),
        (("upsample_nearest2d", "mode", "linear"), instead(16, upper_left_linear)),
    ],
]


NORM = {name: np.float32([1, 2, 3]) for name in ("scale", "shift", "mean", "variance")}
INSERTED = [
    (Insert("batch", "clip", {"min": 0.5, "max": None}), lambda batch: batch.clamp(min=0.5)),
    (Insert("batch", "gelu", {"approximate": "tanh"}), nn.GELU("tanh")),
    (
        Insert("batch", "multiply", {}, {"operand": np.float32([1, 2, 3])}),
        lambda batch: batch * torch.tensor([1, 2, 3]).reshape(3, 1, 1),
    ),
    (
        Insert("batch", "subtract", {"constant_first": True}, {"operand": np.float32(4)}),
        lambda batch: 4 - batch,
    ),
    (Insert("batch", "add", {}, {}, ("batch",)), lambda batch: batch * 2),
    (Insert("batch", "transpose", {"permutation": [0, 1, 3, 2]}), lambda batch: batch.mT),
    (Insert("batch", "pad", {"pads": [1, 0, 0, 2], "value": 1}), nn.ConstantPad2d((0, 2, 1, 0), 1)),
    (
        Insert("batch", "batch_norm", {"epsilon": 1.0}, NORM),
        lambda batch: F.batch_norm(
            batch, *(torch.tensor([1.0, 2, 3]) for _ in range(4)), training=False, eps=1.0
        ),
    ),
]
