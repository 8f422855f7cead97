"""torchvision beside a PyTorch for the CPU."""


def load_torchvision():
    """Import torchvision, also where its binary operators don't load.

    torchvision 0.28's wheel is built for a PyTorch with CUDA: beside one for the CPU its import
    ends at an operator that was never registered, though no image model needs any. Declaring the
    two operators is enough.

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
        load_torchvision.library = library  # its operators end with it
        import torchvision
    return torchvision
