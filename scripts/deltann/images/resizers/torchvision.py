"""torchvision's transforms on tensors, with antialiasing, which is their default."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ENVIRONMENT = "torch"


def resize(pixels: "np.ndarray", size: tuple[int, int], interpolation: str) -> "np.ndarray":
    """Resize uint8 (height, width, 3) to `size` (width, height) by nearest, bilinear or bicubic."""
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
