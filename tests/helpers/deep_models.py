"""Write ResNet101 with weights made on the spot, and as ONNX with a fault, in a folder.

Run in the environment of PyTorch: `deep_models.py <folder>` writes `resnet101.pt2` and
`resnet101.onnx`, of which one convolution in the middle has lost an output channel.
"""

import sys
from pathlib import Path

import torch

from deltann.formats.torchvision_loader import load_torchvision

LAYER = "layer3.8.conv2"
CHANNEL = 3


def main(folder: Path) -> None:
    """Write both files."""
    torch.manual_seed(0)
    network = load_torchvision().models.resnet101(weights=None).eval()
    image = torch.randn(1, 3, 224, 224)
    torch.export.save(torch.export.export(network, (image,)), folder / "resnet101.pt2")
    with torch.no_grad():
        network.get_submodule(LAYER).weight[CHANNEL] = 0
    file = folder / "resnet101.onnx"
    torch.onnx.export(network, (image,), file, dynamo=False, opset_version=17)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
