"""The paper's models built by torchvision."""

from pathlib import Path
from typing import Any

from deltann.formats import exported_program, torch_weights
from deltann.formats.torchvision_loader import load_torchvision
from deltann.images.normalise import normalise
from deltann.models import PRETRAINED, SEEDED, Request
from deltann.models.paper import SPREAD, seed


def export(request: Request, output: Path) -> None:
    """Save a `.pt2` file."""
    exported_program.save(build(request), request.preprocessing.input_shape("NCHW"), output)


def build(request: Request) -> Any:
    """The `torch.nn.Module` in evaluation mode, (1, 3, height, width) to logits (1, 1000)."""
    import torch

    models = load_torchvision().models
    make = getattr(models, request.model)
    if request.weights == PRETRAINED:
        return make(weights="DEFAULT").eval()
    torch.manual_seed(seed(request))
    # what torchvision itself sets for the published weights of InceptionV3
    inception = {"transform_input": True, "aux_logits": True, "init_weights": True}
    network = make(weights=None, **(inception if request.model == "inception_v3" else {}))
    if request.weights == SEEDED:
        fit(network, request)
    else:
        torch_weights.load(network, Path(request.weights))
    return network.eval()


def fit(network: Any, request: Request) -> None:
    """Fit batch-norm statistics, then the last layer, to the images.

    Random weights give nearly the same logits for every image. So each batch norm takes the
    statistics of the images, and the last layer is shifted and scaled: each logit has mean 0 over
    the images, and all logits together have the standard deviation `SPREAD`. Then labels differ
    between images. Logits aren't scaled one by one, since over so few images the largest of them
    would all be nearly equal.
    """
    import numpy as np
    import torch

    images = [normalise(image, request.preprocessing, "NCHW") for image in request.fitting_images()]
    batch = torch.from_numpy(np.concatenate(images))
    network.eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = 1.0
            module.train()
    with torch.no_grad():
        network(batch)
        network.eval()
        logits = network(batch)
        last = [item for item in network.modules() if isinstance(item, torch.nn.Linear)][-1]
        mean = logits.mean(0)
        scale = SPREAD / (logits - mean).std()
        last.bias.copy_((last.bias - mean) * scale)
        last.weight.mul_(scale)
