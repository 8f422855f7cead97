"""The paper's models from torchvision."""

from pathlib import Path

from deltann.formats import exported_program
from deltann.formats.torchvision_loader import load_torchvision
from deltann.images.normalise import normalise
from deltann.models import PRETRAINED, SEEDED, Request
from deltann.models.paper import SPREAD, seed


def export(request: Request, output: Path) -> None:
    """Save a `.pt2` file."""
    crop = request.preprocessing.crop
    exported_program.save(build(request), (1, 3, crop, crop), output)


def build(request: Request):
    """The `torch.nn.Module` in evaluation mode, (1, 3, crop, crop) float32 to logits (1, 1000)."""
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
        network.load_state_dict(torch.load(request.weights, weights_only=True, map_location="cpu"))
    return network.eval()


def fit(network, request: Request) -> None:
    """Fit batch-norm statistics, then the last layer, to the images.

    With random weights alone logits are all but equal for every image. Here each batch norm takes
    the statistics of the images themselves, and the last layer is shifted and scaled so that each
    logit has mean 0 over the images, and all of them together the deviation `SPREAD`: then labels
    differ between images. Were each logit scaled by itself, the largest ones would all lie at the
    bound that so few images set, and every answer would be a tie.
    """
    import numpy as np
    import torch

    images = [normalise(image, request.preprocessing, "NCHW") for image in request.images]
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
        last = network.fc if hasattr(network, "fc") else network.classifier[-1]
        mean = logits.mean(0)
        scale = SPREAD / (logits - mean).std()
        last.bias.copy_((last.bias - mean) * scale)
        last.weight.mul_(scale)
