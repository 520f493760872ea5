"""Metrics as text, in Prometheus's and OpenMetrics' own words.

There are some 170 lines of each service and environment: `prometheus_client` would write those of 300 in a second,
every time that somebody asks.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_TOTAL: Final = "_total"
_EXEMPLAR_CHARACTERS: Final = 128  # OpenMetrics: of names and values together


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An example of what was counted: its labels, its value, and when it was (seconds of Unix time)."""

    labels: Mapping[str, str]
    value: float
    at: float | None = None

    @property
    def fits(self) -> bool:
        """Whether OpenMetrics takes it."""
        return sum(len(name) + len(value) for name, value in self.labels.items()) <= _EXEMPLAR_CHARACTERS


@dataclass(frozen=True, slots=True)
class Line:
    """One sample: `labels` as they stand between the braces."""

    name: str
    labels: str
    value: float
    exemplar: Exemplar | None = None

    def written(self, *, is_openmetrics: bool) -> str:
        """The line."""
        braced = f"{{{self.labels}}}" if self.labels else ""
        bare = f"{self.name}{braced} {self.value!r}"
        if not is_openmetrics or self.exemplar is None or not self.exemplar.fits:
            return f"{bare}\n"
        at = "" if self.exemplar.at is None else f" {self.exemplar.at:.3f}"
        return f"{bare} # {{{written_labels(self.exemplar.labels)}}} {self.exemplar.value!r}{at}\n"


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its lines. `type` is gauge, counter or histogram; a counter's name ends with _total."""

    name: str
    type: str
    text: str
    lines: tuple[Line, ...]


def text_of(families: Iterable[Family], *, is_openmetrics: bool) -> bytes:
    """All of them, without OpenMetrics' end; nothing of a family without lines."""
    return "".join(_written(families, is_openmetrics=is_openmetrics)).encode()


def _written(families: Iterable[Family], *, is_openmetrics: bool) -> Iterator[str]:
    for family in families:
        if family.lines:
            is_shortened = is_openmetrics and family.type == "counter"
            name = family.name.removesuffix(_TOTAL) if is_shortened else family.name
            yield f"# HELP {name} {family.text}\n# TYPE {name} {family.type}\n"
            yield from (line.written(is_openmetrics=is_openmetrics) for line in family.lines)


def written_labels(labels: Mapping[str, str]) -> str:
    """Between the braces."""
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in labels.items()])


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return value
