"""Where panels stand: rows of panels on Grafana's grid of 24 columns, filled from the left, so that none overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import attr
from grafanalib import core

COLUMNS: Final = 24


@dataclass(frozen=True, slots=True)
class Band:
    """Panels side by side: one height (in Grafana's 30-pixel units) and equal widths, or those given."""

    height: int
    panels: tuple[core.Panel, ...]
    widths: tuple[int, ...] = ()


def placed(bands: Sequence[Band]) -> list[core.Panel]:
    """The panels with their places, band below band. The last of equal panels takes what the division leaves over."""
    result, top = [], 0
    for band in bands:
        left = 0
        for panel, width in zip(band.panels, band.widths or _equal(len(band.panels)), strict=True):
            result.append(attr.evolve(panel, gridPos=core.GridPos(h=band.height, w=width, x=left, y=top)))
            left += width
        assert left <= COLUMNS
        top += band.height
    return result


def _equal(count: int) -> tuple[int, ...]:
    width = COLUMNS // count
    return (*[width] * (count - 1), COLUMNS - width * (count - 1))
