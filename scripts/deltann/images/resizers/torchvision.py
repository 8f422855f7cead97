"""torchvision's transforms on tensors, with antialiasing, their default."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize an image: see `deltann.images.resizers.Resizer`."""
    import numpy as np
    import torch

    from deltann.formats.torchvision_loader import load_torchvision

    load_torchvision()
    from torchvision.transforms import InterpolationMode
    from torchvision.transforms.v2 import functional

    tensor = torch.from_numpy(np.array(pixels)).permute(2, 0, 1)
    width, height = size
    mode = InterpolationMode[interpolation.upper()]
    resized = functional.resize(tensor, [height, width], interpolation=mode, antialias=True)
    return resized.permute(1, 2, 0).contiguous().numpy()
