"""The reference cell: the native cell whose answers a cell is compared with."""

from collections.abc import Iterable
from dataclasses import replace

from deltann.cell import NATIVE_RUN, SOURCE, UNCONVERTED, Cell
from deltann.images.resizers import DEFAULT


class References:
    """Finds each cell's reference among the cells of a study.

    Every reference is on the cell's own device if its runtime runs there, else on the first device
    where it does.

    Args:
        cells: all cells of the study, in the study's order.
    """

    def __init__(self, cells: Iterable[Cell]):
        self._by_device: dict[Cell, dict[str, Cell]] = {}
        for cell in cells:
            devices = self._by_device.setdefault(replace(cell, device=""), {})
            devices.setdefault(cell.device, cell)

    def of_model(self, cell: Cell) -> Cell | None:
        """The cell's model before any conversion, in its source's own runtime.

        With the cell's resizer if there is such a cell, else with the default one.
        """
        native = replace(
            cell, target=cell.source, route=UNCONVERTED, preprocessing=SOURCE, **NATIVE_RUN
        )
        return self._find(native) or self._find(replace(native, resizer=DEFAULT))

    def of_file(self, cell: Cell) -> Cell | None:
        """The cell's model file on the same images, in its target's own runtime."""
        return self._find(replace(cell, **NATIVE_RUN))

    def _find(self, cell: Cell) -> Cell | None:
        devices = self._by_device.get(replace(cell, device=""), {})
        return devices.get(cell.device) or next(iter(devices.values()), None)
