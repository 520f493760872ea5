"""The graph of golden paths as boxes and curves: routes to the left, paths in the middle, what watches to the right."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Final

from synthetics.golden_paths.graph import Column, Graph, Look, Node

BOX_WIDTH: Final = 272
BOX_HEIGHT: Final = 40
ROW: Final = 48
MARGIN: Final = 2
HEADING: Final = 28
_GAP: Final = 80  # between two columns
_COLUMNS: Final = {column: MARGIN + index * (BOX_WIDTH + _GAP) for index, column in enumerate(Column)}
WIDTH: Final = _COLUMNS[Column.WATCH] + BOX_WIDTH + MARGIN
_FITS: Final = 36  # characters of a line in a box


@dataclass(frozen=True, slots=True)
class Box:
    """A node at its place, in pixels. `label` is cut where it does not fit; the node has all of it."""

    node: Node
    x: int
    y: int
    label: str


@dataclass(frozen=True, slots=True)
class Curve:
    """An edge as SVG path data."""

    path: str
    look: Look


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that a template needs; lengths in pixels."""

    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    width: int
    height: int
    headings: tuple[tuple[int, str], ...]


def drawing_of(graph: Graph) -> Drawing:
    """Outer columns in the order of their paths, paths in the middle of what they touch; no two boxes overlap."""
    tops: dict[str, int] = {}
    for column in (Column.ROUTE, Column.WATCH):
        tops |= {node.id: HEADING + row * ROW for row, node in enumerate(graph.column(column))}
    tops |= _middle(graph, tops)
    boxes = tuple(Box(node, _COLUMNS[node.column], tops[node.id], shortened(node.label)) for node in graph.nodes)
    places = {box.node.id: box for box in boxes}
    curves = tuple(Curve(_curve(places[edge.start], places[edge.end]), edge.look) for edge in graph.edges)
    height = max((box.y for box in boxes), default=0) + BOX_HEIGHT + MARGIN
    headings = ("Routes", "Golden paths", "SLOs, journeys, probes")
    return Drawing(boxes, curves, WIDTH, height, tuple(zip(_COLUMNS.values(), headings, strict=True)))


def shortened(label: str) -> str:
    """What fits a box; of a route its end tells more than its beginning."""
    return label if len(label) <= _FITS else f"…{label[-_FITS + 1 :]}"


def _middle(graph: Graph, tops: Mapping[str, int]) -> dict[str, int]:
    touching: dict[str, list[int]] = {}
    for edge in graph.edges:
        for end, other in ((edge.start, edge.end), (edge.end, edge.start)):
            if other in tops:
                touching.setdefault(end, []).append(tops[other])
    paths = graph.column(Column.PATH)
    wanted = {node.id: round(mean(touching.get(node.id, [HEADING]))) for node in paths}
    placed: dict[str, int] = {}
    following = HEADING
    for node in sorted(paths, key=lambda each: wanted[each.id]):
        placed[node.id] = max(wanted[node.id], following)
        following = placed[node.id] + ROW
    return placed


def _curve(start: Box, end: Box) -> str:
    x1, y1, x2, y2 = start.x + BOX_WIDTH, start.y + BOX_HEIGHT // 2, end.x, end.y + BOX_HEIGHT // 2
    middle = (x1 + x2) // 2
    return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
