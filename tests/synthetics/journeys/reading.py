"""Journeys out of texts and of the example workspace."""

from pathlib import Path

from controlplane.problems import Problem
from controlplane.specfile import SourceFile, read
from synthetics.journeys.declared import declared
from synthetics.journeys.kinds import KINDS
from synthetics.journeys.model import Journey

WORKSPACE = Path(__file__).resolve().parents[3] / "examples" / "intelgraph"
_HEAD = "apiVersion: flyball.dev/v1\nkind: Journey\nmetadata: {name: shop}\nspec:\n"


def understood(spec: str, head: str = _HEAD) -> tuple[tuple[Journey, ...], list[Problem]]:
    """The journeys of a text, and what is wrong with it; `spec` is what stands below `spec:`, not indented."""
    text = head + "".join(f"  {line}\n" for line in spec.strip("\n").splitlines())
    result = read([SourceFile("shop.yaml", text.encode())], KINDS)
    found = declared(result.documents)
    return found.values, [*result.problems, *found.problems]


def a_journey(spec: str) -> Journey:
    """The journey of a text in which nothing is wrong."""
    journeys, problems = understood(spec)
    assert problems == []
    (journey,) = journeys
    return journey


def told(problems: list[Problem]) -> list[str]:
    """Problems as lines: where, what, and the way out."""
    return [f"{p.line}:{p.column} {p.field}: {p.message}" + (f" ({p.hint})" if p.hint else "") for p in problems]


def example_journeys() -> dict[str, Journey]:
    """Those of the example workspace, by name."""
    path = WORKSPACE / "synthetics" / "journeys.yaml"
    result = read([SourceFile(str(path), path.read_bytes())], KINDS)
    found = declared(result.documents)
    assert [*result.problems, *found.problems] == []
    return {journey.name: journey for journey in found.values}
