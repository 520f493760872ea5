"""Golden paths as a graph: routes on the left, paths in the middle, what watches them on the right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from controlplane.model.check import CheckKind
from synthetics.golden_paths.coverage import CheckCoverage, Coverage, PathCoverage, State
from synthetics.golden_paths.model import Gap, Route


class Column(Enum):
    """Where a node stands, from left to right."""

    ROUTE = "route"
    PATH = "path"
    WATCH = "watch"


class Look(Enum):
    """How a node or an edge is drawn. Never by colour alone: `words` stand with it."""

    CALM = "calm"
    GAP = "gap"
    UNKNOWN = "unknown"


_LOOKS: Final = {
    State.COVERED: Look.CALM,
    State.ACCEPTED: Look.CALM,
    State.GAPS: Look.GAP,
    State.UNKNOWN: Look.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One thing of the graph. `note` says in words what its look says; empty when all is well."""

    id: str
    column: Column
    kind: str  # route, path, slo, journey, probe
    label: str
    look: Look
    note: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """From a route to its path, or from a path to what watches it."""

    start: str
    end: str
    look: Look = Look.CALM


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes column by column, in the order in which they are first used; edges by path."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def column(self, column: Column) -> tuple[Node, ...]:
        """Its nodes, from top to bottom."""
        return tuple(node for node in self.nodes if node.column is column)


def graph_of(found: Coverage) -> Graph:
    """The graph of this coverage. What is missing is there as well: a route on no path, a path without a journey."""
    nodes: dict[tuple[str, str], Node] = {}
    edges: list[Edge] = []
    for each in found.paths:
        path = _add(nodes, Column.PATH, "path", each.path.title, _LOOKS[each.state], _path_note(each), each.path.name)
        for route in each.routes:
            look = _LOOKS[route.state]
            note = {Look.GAP: "no traffic", Look.UNKNOWN: "traffic unknown"}.get(look, "")
            node = _add(nodes, Column.ROUTE, "route", str(route.route), look, note)
            edges.append(Edge(node.id, path.id, look))
        for node in _watching(nodes, each):
            edges.append(Edge(path.id, node.id, node.look))
    for stray in found.strays or ():
        label = str(Route(stray.traffic.route, stray.traffic.service, stray.traffic.method))
        _add(nodes, Column.ROUTE, "route", label, Look.GAP, "on no path")
    return Graph(tuple(nodes.values()), tuple(edges))


def _watching(nodes: dict[tuple[str, str], Node], each: PathCoverage) -> Iterator[Node]:
    for slo in each.path.slos:
        yield _add(nodes, Column.WATCH, "slo", slo, Look.CALM)
    for check in each.checks:
        yield _add(nodes, Column.WATCH, check.kind.value, check.name, _LOOKS[check.state], _check_note(each, check))
    missing = {gap.gap: gap.accepted is not None for gap in each.gaps}
    for gap, kind, label in ((Gap.NO_SLO, "slo", "no SLO"), (Gap.NO_JOURNEY, "journey", "no journey")):
        if gap in missing:
            accepted = missing[gap]
            look, note = (Look.CALM, "accepted") if accepted else (Look.GAP, "missing")
            yield _add(nodes, Column.WATCH, kind, label, look, note, f"{each.path.name} {gap.value}")


def _add(
    nodes: dict[tuple[str, str], Node],
    column: Column,
    kind: str,
    label: str,
    look: Look,
    note: str = "",
    key: str = "",
) -> Node:
    """The node of that kind and key; the worse look stands when several paths speak of it."""
    at = (kind, key or label)
    known = nodes.get(at)
    if known is None or (known.look is Look.CALM and look is not Look.CALM):
        nodes[at] = Node(known.id if known else f"{kind}{len(nodes)}", column, kind, label, look, note)
    return nodes[at]


def _path_note(each: PathCoverage) -> str:
    count = len(each.open_gaps)
    if count:
        return f"{count} gap{'' if count == 1 else 's'}"
    return each.state.value if each.state in (State.UNKNOWN, State.ACCEPTED) else ""


def _check_note(each: PathCoverage, check: CheckCoverage) -> str:
    if check.state is State.UNKNOWN:
        return "unknown"
    subject = f"{check.kind.value} {check.name}"
    words = {Gap.NOT_RUN: "not run", Gap.FAILING: "failing"}
    return ", ".join(words[gap.gap] for gap in each.gaps if gap.subject == subject and gap.gap in words)


# --- Mermaid and Graphviz ---------------------------------------------------------------------------------------------
_MERMAID_SHAPES: Final[Mapping[str, tuple[str, str]]] = {
    "route": ("[", "]"),
    "path": ("([", "])"),
    "slo": ("{{", "}}"),
    CheckKind.JOURNEY.value: ("[[", "]]"),
    CheckKind.PROBE.value: ("[/", "/]"),
}
_DOT_SHAPES: Final[Mapping[str, str]] = {
    "route": "box",
    "path": "oval",
    "slo": "hexagon",
    CheckKind.JOURNEY.value: "component",
    CheckKind.PROBE.value: "parallelogram",
}
_GAP_COLOUR: Final = "#c2410c"  # the vermilion of flyball.css, light
_UNKNOWN_COLOUR: Final = "#6b7280"
_MERMAID_ENTITIES: Final = {'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "`": "#96;", "\n": " "}


def as_mermaid(graph: Graph) -> str:
    """Text for Mermaid (`flowchart LR`), as GitHub and GitLab draw it in Markdown."""
    lines = ["flowchart LR"]
    for node in graph.nodes:
        left, right = _MERMAID_SHAPES[node.kind]
        lines.append(f'  {node.id}{left}"{_in_mermaid(_told(node))}"{right}')
    for edge in graph.edges:
        lines.append(f"  {edge.start} {'-->' if edge.look is Look.CALM else '-.->'} {edge.end}")
    lines.append(f"  classDef gap stroke:{_GAP_COLOUR},stroke-width:2px")
    lines.append(f"  classDef unknown stroke:{_UNKNOWN_COLOUR},stroke-dasharray:4 3")
    for look in (Look.GAP, Look.UNKNOWN):
        chosen = [node.id for node in graph.nodes if node.look is look]
        if chosen:
            lines.append(f"  class {','.join(chosen)} {look.value}")
    return "\n".join(lines) + "\n"


def as_dot(graph: Graph) -> str:
    """Text for Graphviz: `flyball golden-paths --format dot | dot -Tsvg`."""
    lines = ["digraph golden_paths {", "  rankdir=LR", '  node [fontname="sans-serif"]']
    for node in graph.nodes:
        colour = {Look.GAP: f', color="{_GAP_COLOUR}", penwidth=2', Look.UNKNOWN: f', color="{_UNKNOWN_COLOUR}", '
                  "style=dashed"}.get(node.look, "")  # fmt: skip
        lines.append(f"  {node.id} [label={_in_dot(_told(node))}, shape={_DOT_SHAPES[node.kind]}{colour}]")
    for edge in graph.edges:
        lines.append(f"  {edge.start} -> {edge.end}{'' if edge.look is Look.CALM else ' [style=dashed]'}")
    return "\n".join([*lines, "}"]) + "\n"


def _told(node: Node) -> str:
    kind = {"slo": "SLO", "route": "", "path": ""}.get(node.kind, node.kind)
    label = node.label if node.label.startswith("no ") else " ".join(filter(None, (kind, node.label)))
    return f"{label} ({node.note})" if node.note else label


def _in_mermaid(text: str) -> str:
    return "".join(_MERMAID_ENTITIES.get(character, character) for character in text)


def _in_dot(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'
