"""Rows of marks that make room for each other: the lanes of the figure `pareto`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Inches: a mark's width and height with its distance from the next, a line of text, the space
# around a lane's marks, the axis of times.
MARK, TRACK, LINE, PAD, AXIS = 0.12, 0.13, 0.16, 0.08, 5.0


@dataclass
class Lane:
    """A row of the figure: the cells with as many other labels.

    Attributes:
        name: how many.
        cells: from the fastest, those on the frontier first.
        tracks: in which of the lane's rows of marks each cell is, counted from the lowest.
        pitch: inches from one of these rows to the next.
    """

    name: str
    cells: pd.DataFrame
    tracks: list[int]
    pitch: float = TRACK

    @property
    def named(self) -> int:
        """How many cells have their names in it."""
        return int((self.cells["frontier"] == 1).sum())

    @property
    def below(self) -> float:
        """Inches from the lowest marks to the lane's lower edge."""
        return PAD + TRACK / 2 + LINE * self.named

    @property
    def height(self) -> float:
        """Inches."""
        return self.below + self.pile + TRACK / 2 + PAD

    @property
    def pile(self) -> float:
        """Inches from the lowest marks to the highest ones."""
        return self.pitch * max(self.tracks)


def tracks(cells: pd.DataFrame, limits: tuple[float, float]) -> list[int]:
    """The lowest row for each mark in which it covers no earlier one."""
    taken: list[list[tuple[float, float]]] = []
    found = []
    for ends in cells[["median_ms", "ms_low", "ms_high"]].to_numpy(float):
        inches = AXIS * np.log(ends / limits[0]) / np.log(limits[1] / limits[0])
        left, right = np.nanmin(inches) - MARK / 2, np.nanmax(inches) + MARK / 2
        free = (all(right < a or left > b for a, b in track) for track in taken)
        track = next((number for number, is_free in enumerate(free) if is_free), len(taken))
        if track == len(taken):
            taken.append([])
        taken[track].append((left, right))
        found.append(track)
    return found


def squeeze(lanes: list[Lane], height: float) -> None:
    """Change the pitch of lanes that are higher together than so many inches: marks may overlap."""
    piles = sum(lane.pile for lane in lanes)
    room = height - sum(lane.height for lane in lanes) + piles
    if piles > room:
        for lane in lanes:
            lane.pitch *= max(room / piles, 0.1)
