"""Networks of torchvision as PyTorch code that a study exports, with weights made on the spot.

Time doesn't depend on weights.
"""

from typing import Any

import torch

from deltann.formats.torchvision_loader import load_torchvision


def _network(name: str) -> Any:
    torch.manual_seed(0)
    return load_torchvision().models.get_model(name, weights=None)


def mobilenet_v3_small() -> Any:
    return _network("mobilenet_v3_small")


def mobilenet_v3_large() -> Any:
    return _network("mobilenet_v3_large")


def densenet121() -> Any:
    return _network("densenet121")


def shufflenet_v2() -> Any:
    return _network("shufflenet_v2_x1_0")


def regnet_y_400mf() -> Any:
    return _network("regnet_y_400mf")


def resnet50() -> Any:
    return _network("resnet50")


def convnext_tiny() -> Any:
    return _network("convnext_tiny")


def vit_b_16() -> Any:
    return _network("vit_b_16")


def swin_t() -> Any:
    return _network("swin_t")


def efficientnet_v2_s() -> Any:
    return _network("efficientnet_v2_s")


def resnext50_32x4d() -> Any:
    return _network("resnext50_32x4d")


def maxvit_t() -> Any:
    return _network("maxvit_t")
