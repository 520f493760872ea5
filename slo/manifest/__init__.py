"""What a generation of rules was made from: its SLOs, a line each, so that a plan can say what changes in words.

The first line describes the whole: the version of this format, the options that all rules depend on, the compiler.
The others are SLOs as JSON, in the order of their names. Equal SLOs give equal lines, so two manifests are compared as
texts, and only what differs is read.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from controlplane.model.event import JSON
from controlplane.model.slo import SLO
from slo.manifest.codec import from_json, to_json

FILE_NAME: Final = "flyball-slos.jsonl"  # not *.yaml, so that no rule engine reads it
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """The SLOs behind a generation. `lines` are sorted; `basis` is everything else that their rules depend on."""

    basis: Mapping[str, JSON]
    lines: tuple[str, ...]

    def text(self) -> str:
        """The file."""
        first = json.dumps({"flyball": VERSION, **self.basis}, sort_keys=True, ensure_ascii=False)
        return "\n".join([first, *self.lines, ""])


def line_of(slo: SLO) -> str:
    """One SLO as one line. What another tool calls it is left out where nothing is recorded so: no rule says it."""
    if slo.legacy_names is not None and not slo.legacy_names.recorded:
        slo = replace(slo, legacy_names=None)
    return json.dumps(to_json(slo), ensure_ascii=False, separators=(",", ":"))


def slo_of(line: str) -> SLO:
    """The SLO of a line, its place in the user's files not known. Raises ValueError for a line that is none."""
    return from_json(SLO, json.loads(line))


def manifest_of(lines: Iterable[str], basis: Mapping[str, JSON]) -> Manifest:
    """A manifest of SLOs' lines, in any order."""
    return Manifest(basis, tuple(sorted(lines)))


def read_manifest(text: str) -> Manifest | None:
    """What `Manifest.text` wrote; None for anything else, a later version included."""
    first, *lines = text.split("\n")
    try:
        basis = json.loads(first)
    except (ValueError, RecursionError):
        return None
    if not isinstance(basis, dict) or basis.pop("flyball", None) != VERSION or lines[-1:] != [""]:
        return None
    return Manifest(basis, tuple(lines[:-1]))


class RememberedLines:
    """`line_of` for the SLOs of one workspace after another: those that did not change are taken as they are."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[SLO, str]] = {}

    def __call__(self, slos: Sequence[SLO]) -> tuple[str, ...]:
        """The lines in the order of the SLOs."""
        known = self._lines
        self._lines = {}
        for slo in slos:
            found = known.get(id(slo))
            same = found is not None and found[0] is slo
            self._lines[id(slo)] = found if found is not None and same else (slo, line_of(slo))
        return tuple(line for _, line in self._lines.values())
