"""torchvision with a PyTorch for the CPU."""

from typing import Any

# The operators declared below exist as long as their library.
LIBRARIES: list[Any] = []


def load_torchvision() -> Any:
    """Import torchvision, even if its binary operators don't load.

    torchvision 0.28's wheel is built for a PyTorch with CUDA. With one for the CPU its import fails
    at operators that aren't registered. No image model needs them; declaring them is enough.

    Returns:
        The module `torchvision`.
    """
    import torch

    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms does not exist" not in str(error):
            raise
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        LIBRARIES.append(library)
        import torchvision
    return torchvision
