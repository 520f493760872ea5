"""What a Prometheus has, over its HTTP API: `MetricsCatalogue`."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Permanent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION: Final = re.compile(r"(?:[0-9]+(?:ms|[smhdwy]))+")
_PART: Final = re.compile(r"([0-9]+)(ms|[smhdwy])")
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_LONGEST: Final = timedelta(days=365 * 1000)

_JSON = Any  # untyped until a reader has understood it
_Read = TypeVar("_Read")


class PrometheusCatalogue:
    """`MetricsCatalogue` on Prometheus 2.42 or later, or what speaks its API, over the connections of `backend`.

    A server that does not know an endpoint (Mimir and VictoriaMetrics lack some) has nothing to tell there.
    """

    def __init__(self, backend: PrometheusBackend) -> None:
        self._backend = backend

    def metric_names(self, start: datetime, end: datetime) -> frozenset[str]:
        """Names of metrics that had a series in that time, rounded up to whole blocks."""
        return self._backend.read("/api/v1/label/__name__/values", _names, _span(start, end))

    def label_names(self, metric: str, start: datetime, end: datetime) -> frozenset[str]:
        """Names of the labels of a metric's series, `__name__` aside."""
        matched = ("match[]", f'{{__name__="{metric}"}}')
        return self._backend.read("/api/v1/labels", _names, [matched, *_span(start, end)]) - {"__name__"}

    def series(self, selectors: Sequence[str], start: datetime, end: datetime) -> list[Mapping[str, str]]:
        """Labels of every series that one of the selectors matches, each once."""
        if not selectors:
            return []
        matched = [("match[]", selector) for selector in selectors]
        return self._backend.read("/api/v1/series", _label_sets, [*matched, *_span(start, end)])

    def metric_types(self) -> Mapping[str, str]:
        """`counter`, `gauge`, … by metric, as far as its targets tell."""
        return self._told("/api/v1/metadata", _types, {})

    def retention(self) -> timedelta | None:
        """How long it keeps samples; None when only their size is bounded."""
        return self._told("/api/v1/status/runtimeinfo", _retention, None)

    def scrape_intervals(self) -> Mapping[str, timedelta]:
        """The longest scrape interval of each job's targets."""
        return self._told("/api/v1/targets", _intervals, {}, [("state", "active")])

    def _told(
        self, path: str, reader: Callable[[_JSON], _Read], nothing: _Read, parameters: Sequence[tuple[str, str]] = ()
    ) -> _Read:
        try:
            return self._backend.read(path, reader, parameters)
        except Permanent:
            return nothing


def _span(start: datetime, end: datetime) -> list[tuple[str, str]]:
    return [("start", f"{(start - _EPOCH).total_seconds():.3f}"), ("end", f"{(end - _EPOCH).total_seconds():.3f}")]


def _names(data: _JSON) -> frozenset[str]:
    return frozenset(str(name) for name in data)


def _label_sets(data: _JSON) -> list[Mapping[str, str]]:
    return [{str(name): str(value) for name, value in labels.items()} for labels in data]


def _types(data: _JSON) -> Mapping[str, str]:
    return {str(name): str(entries[0]["type"]) for name, entries in data.items() if entries}


def _retention(data: _JSON) -> timedelta | None:
    """Written as `15d`, `512MiB` or `15d or 512MiB`."""
    for written in str(data.get("storageRetention", "")).split(" or "):
        if _DURATION.fullmatch(written):
            return _length(written)
    return None


def _intervals(data: _JSON) -> Mapping[str, timedelta]:
    found: dict[str, timedelta] = {}
    for target in data["activeTargets"]:
        written = str(target.get("scrapeInterval", ""))
        if _DURATION.fullmatch(written):
            job = str(target["labels"]["job"])
            found[job] = max(_length(written), found.get(job, timedelta(0)))
    return found


def written_length(text: str) -> timedelta | None:
    """A length as Prometheus writes it (`1d12h`), None when it is none."""
    return _length(text) if _DURATION.fullmatch(text) else None


def _length(written: str) -> timedelta:
    total = timedelta(0)
    for count, unit in _PART.findall(written):
        total += min(int(count) * _UNITS[unit], _LONGEST) if len(count) < 10 else _LONGEST
    return total
