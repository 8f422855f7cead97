"""Build the models before any conversion: `.pt2` files, and their answers in float64.

Run in the environment `torch`: `models.py FOLDER WHEEL NAME...`, where a name is `mobile-0`: a
network and a seed.
"""

import copy
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

import numpy as np  # noqa: E402
from pictures import NO_ANTIALIAS, RIGHT, SHIFTED, images  # noqa: E402

from deltann.formats import exported_program  # noqa: E402  the folders above first

SPREAD = 3.0  # of the logits over the images


def build(name: str, photographs: np.ndarray) -> Any:
    """A network with seeded weights in evaluation mode, fitted to images.

    Batch norms take the statistics of the images; the last layer is scaled so that labels differ
    between images, as `deltann.models.paper.from_torch` does it.

    Args:
        name: a network and a seed.
        photographs: float32 (image, 3, height, width).
    """
    import networks
    import networks_held_out
    import torch

    kind, _, seed = name.partition("-")
    torch.manual_seed(1000 + int(seed))
    found = {**vars(networks), **vars(networks_held_out)}[kind.title()]()
    for module in found.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.6, 1.4)
            torch.nn.init.uniform_(module.bias, -0.4, 0.4)
            module.momentum = 1.0
        elif isinstance(module, torch.nn.Conv2d):
            # small variances, so that a batch norm's epsilon matters, as in trained models
            torch.nn.init.kaiming_uniform_(module.weight, a=8.0)
    batch = torch.from_numpy(photographs)
    with torch.no_grad():
        for module in found.modules():
            module.train(isinstance(module, torch.nn.BatchNorm2d))
        found(batch)
        found.eval()
        logits = found(batch)
        mean = logits.mean(0)
        scale = SPREAD / (logits - mean).std()
        found.head.bias.copy_((found.head.bias - mean) * scale)
        found.head.weight.mul_(scale)
    return found


def answers(network: Any, photographs: np.ndarray) -> np.ndarray:
    """The logits of a network that computes in float64: (image, class)."""
    import torch

    double = copy.deepcopy(network).double()
    with torch.no_grad():
        rows = [double(torch.from_numpy(image[None]).double()) for image in photographs]
        return torch.cat(rows).numpy()


def main(folder: Path, wheel: Path, names: list[str]) -> None:
    """Make what isn't there yet."""
    import networks

    folder.mkdir(parents=True, exist_ok=True)
    for how in (RIGHT, NO_ANTIALIAS, SHIFTED):
        if not (folder / f"{how}.npy").exists():
            np.save(folder / f"{how}.npy", images(wheel, how))
    photographs = np.load(folder / f"{RIGHT}.npy")
    for name in names:
        if (folder / f"{name}.npy").exists():
            continue
        network = build(name, photographs)
        exported_program.save(network, networks.SHAPE, folder / f"{name}.pt2")
        np.save(folder / f"{name}.npy", answers(network, photographs))
        print(f"{name}: {sum(value.numel() for value in network.parameters())} numbers", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
