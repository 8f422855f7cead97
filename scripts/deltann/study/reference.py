"""The native cell that a cell is compared with: its model, unconverted, in the source's runtime."""

from deltann.cell import NATIVE_RUN, SOURCE, UNCONVERTED
from deltann.images.resizers import DEFAULT


def names(cell: dict[str, str]) -> list[dict[str, str]]:
    """What the native cell is found by, the best first.

    With the same resizer if there is one, else the default; on the same device if the runtime
    runs there, else on the first.

    Args:
        cell: a cell's names.

    Returns:
        Some of a cell's names each; the last ones leave the device open.
    """
    wanted = {"model": cell["model"], "source": cell["source"], "target": cell["source"]}
    wanted |= {"route": UNCONVERTED, "preprocessing": SOURCE, **NATIVE_RUN}
    return [
        wanted | {"resizer": resizer} | device
        for resizer in (cell["resizer"], DEFAULT)
        for device in ({"device": cell["device"]}, {})
    ]
