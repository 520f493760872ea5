"""Rows of the tables about anomalies, and how they are found and cut into pages."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from urllib.parse import urlencode

from controlplane import anomaly_names as names
from controlplane.model.anomaly import Episode
from flyball.web import anomaly_words as words
from flyball.web import pages
from flyball.web.anomaly_charts import figure
from flyball.web.anomaly_reading import Health, Listed
from flyball.web.anomaly_series import series_name

if TYPE_CHECKING:
    from alerts.anomaly.model import AnomalyDetector

ROWS_PER_PAGE: Final = 50
LONGEST_SEARCH: Final = 200
_BAD: Final = ("no_data", "stale")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Paged(Generic[_T]):
    """One page of rows that fit; `known` is how many there are without the search."""

    rows: tuple[_T, ...]
    total: int
    known: int
    page: int
    pages: int
    text: str

    def query(self, page: int) -> str:
        """The query of another page."""
        return urlencode({**({"q": self.text} if self.text else {}), "page": page})


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """A detector in the index."""

    detector: AnomalyDetector
    health: Health | None
    opened: int
    mark: str
    word: str

    @property
    def is_unreliable(self) -> bool:
        """Whether what it says, or does not say, cannot be relied on."""
        return self.mark in _BAD or self.word == "cannot be read"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series in its detector's list."""

    listed: Listed
    name: str
    query: str
    mark: str
    word: str
    figures: Mapping[str, float]

    def value(self, unit: str) -> str:
        """Its value."""
        return figure(self.figures.get(names.VALUE), unit)

    def expected(self, unit: str) -> str:
        """What was expected."""
        return figure(self.figures.get(names.EXPECTED), unit)

    def usual(self, unit: str) -> str:
        """The band."""
        return words.usual(self.figures.get(names.LOWER), self.figures.get(names.UPPER), unit)


def paged(rows: Sequence[_T], asked: str, text: str, known: int, size: int = ROWS_PER_PAGE) -> Paged[_T]:
    """The page that a reader asked for."""
    count = max(math.ceil(len(rows) / size), 1)
    page = pages.page_number(asked, count)
    return Paged(tuple(rows[(page - 1) * size : page * size]), len(rows), known, page, count, text)


def detector_rows(
    detectors: Sequence[AnomalyDetector], health: Mapping[str, Health], opened: Sequence[Episode], now: datetime
) -> list[DetectorRow]:
    """With open anomalies first, then what cannot be relied on, then by name."""
    counts = Counter(each.detector for each in opened)
    rows = [
        DetectorRow(
            each, health.get(each.name), counts[each.name],
            *words.detector_state(each, health.get(each.name), counts[each.name], now),
        )
        for each in detectors
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (not row.opened, not row.is_unreliable, row.detector.name))


def found_series(listed: Sequence[Listed], text: str, opened: Sequence[Episode]) -> list[Listed]:
    """Those whose labels have the text, with open anomalies first."""
    wanted = text.lower()
    is_open = {each.series for each in opened}
    found = [each for each in listed if wanted in each.text.lower()]
    return sorted(found, key=lambda each: each.text not in is_open)


def series_rows(
    listed: Sequence[Listed], figures: Mapping[str, Mapping[str, float]], opened: Sequence[Episode], severity: str
) -> list[SeriesRow]:
    """With their figures, as far as these are known."""
    kinds: dict[str, set[str]] = {}
    for episode in opened:
        kinds.setdefault(episode.series, set()).add(episode.kind)
    return [
        SeriesRow(
            each, series_name(each.labels), series_query(each.text),
            *words.series_state(each, kinds.get(each.text, ()), severity), figures.get(each.text, {}),
        )
        for each in listed
    ]  # fmt: skip


def series_query(text: str, **more: str) -> str:
    """The query of a series' own page."""
    return urlencode({"series": text, **more})
