"""Golden paths for tests: from text, and by hand."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from textwrap import dedent

from controlplane.model.check import CheckKind, RegionState, RegionVerdict, Verdict, VerdictKind
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import Document, SourceFile, read
from synthetics.golden_paths.evidence import CheckEvidence, Evidence, InventoryAnswer, RouteTraffic
from synthetics.golden_paths.kinds import KINDS
from synthetics.golden_paths.model import GoldenPath, Route, RouteInventory

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HERE = SourcePosition("paths.yaml", 1, 1)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
JOURNEY, PROBE = CheckKind.JOURNEY, CheckKind.PROBE
PATH_TEXT = """
    apiVersion: flyball.dev/v1
    kind: GoldenPath
    metadata: {name: core-flow}
    spec:
      routes: [{service: gateway, route: /graphql/query}]
      slos: [gateway-availability]
      journeys: [core-flow]
      probes: [gateway-health]
"""


def documents(*texts: str) -> tuple[Sequence[Document], Sequence[Problem]]:
    """What files named a.yaml, b.yaml, … hold, and what is wrong with their shape."""
    files = [SourceFile(f"{chr(97 + index)}.yaml", dedent(text).encode()) for index, text in enumerate(texts)]
    result = read(files, KINDS)
    return result.documents, result.problems


def told(problems: Iterable[Problem]) -> list[str]:
    """Every problem on a line."""
    return [
        f"{problem.line}:{problem.column}: {problem.severity.value}: {problem.field}: {problem.message}"
        + (f" ({problem.hint})" if problem.hint else "")
        for problem in problems
    ]


def a_path(name: str = "core-flow", **changes: object) -> GoldenPath:
    """A path with everything."""
    path = GoldenPath(
        name, HERE, (Route("/graphql/query", "gateway"),), ("gateway-availability",), ("core-flow",),
        ("gateway-health",),
    )  # fmt: skip
    return replace(path, **changes)  # type: ignore[arg-type]


def an_inventory(name: str = "gateway", **changes: object) -> RouteInventory:
    """The gateway's routes."""
    return replace(RouteInventory(name, "http_requests_total", HERE), **changes)  # type: ignore[arg-type]


def seen(*routes: str, service: str = "gateway", per_day: float = 1000.0) -> tuple[RouteTraffic, ...]:
    """Traffic of these routes."""
    return tuple(RouteTraffic(route, service, per_day=per_day) for route in routes)


def answered(*routes: RouteTraffic, inventory: RouteInventory | None = None, failure: str = "") -> InventoryAnswer:
    """What an inventory found."""
    return InventoryAnswer(inventory or an_inventory(), routes, failure)


def ran(ago: timedelta = MINUTE, verdict: VerdictKind | None = VerdictKind.UP, **more: object) -> CheckEvidence:
    """A check that ran that long ago."""
    return CheckEvidence(NOW - ago, verdict, NOW - HOUR, **more)  # type: ignore[arg-type]


def all_well(**changes: object) -> Evidence:
    """Evidence by which `a_path` is covered."""
    checks = {(JOURNEY, "core-flow"): ran(), (PROBE, "gateway-health"): ran()}
    return replace(Evidence((answered(*seen("/graphql/query")),), checks), **changes)  # type: ignore[arg-type]


def a_verdict(kind: CheckKind, name: str, verdict: VerdictKind, *, flapping: bool = False) -> Verdict:
    """What stands of a check."""
    state = RegionState.UP if verdict is VerdictKind.UP else RegionState.DOWN
    regions = (RegionVerdict("eu", state, NOW - HOUR, "" if state is RegionState.UP else "connection refused"),)
    return Verdict(name, kind, verdict, NOW - HOUR, 1, regions, flapping)
