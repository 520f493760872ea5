"""Counters and histograms as the store has them: they never fall, whatever restarts."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from controlplane import delivery_names as names
from controlplane.model.delivery import CounterRow
from controlplane.model.event import JSON
from exporters.dora.exposition.lines import Exemplar, Family, Line, written_labels
from exporters.dora.measuring.buckets import BUCKETS, INFINITE

_COUNTERS: Final = {
    names.DEPLOYMENTS: "Deployments that were finished, rollbacks included.",
    names.FAILED_DEPLOYMENTS: "Deployments that failed, by why.",
    names.REWORK_DEPLOYMENTS: "Deployments that nobody had planned, by why.",
    names.INCIDENTS: "Incidents, by whether a deployment is held to be their cause.",
}
_HISTOGRAMS: Final = {
    names.LEAD_TIME: "From the first commit of a change to its first deployment.",
    names.STAGE_TIME: "Parts of the lead time of changes.",
    names.RECOVERY_TIME: "From the failure of a deployment to the recovery from it.",
    names.RESTORE_TIME: "How long incidents went on, whatever their cause (MTTR).",
}
_BUCKET, _SUM, _COUNT, _LE = "_bucket", "_sum", "_count", "le"
_VALUE, _AT = "value", "at"  # keys of a stored exemplar that are no labels
Labels = Callable[[str, str], Mapping[str, str]]  # of a service in an environment


def counter_families(rows: Sequence[CounterRow], labels: Labels) -> Iterator[Family]:
    """A family for each name that we know; rows of other names are left out."""
    by_name: dict[str, list[CounterRow]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    for name, text in _COUNTERS.items():
        yield Family(name, "counter", text, tuple(_line(row, labels) for row in by_name.get(name, ())))
    for name, text in _HISTOGRAMS.items():
        parts = {part: by_name.get(f"{name}{part}", ()) for part in (_BUCKET, _SUM)}
        yield Family(name, "histogram", text, tuple(_histogram(name, parts, labels)))


def _line(row: CounterRow, labels: Labels) -> Line:
    own = labels(row.service, row.environment)
    return Line(row.name, written_labels({**own, **_labels(row)}), float(row.value), _exemplar(row.exemplar))


def _histogram(name: str, parts: Mapping[str, Iterable[CounterRow]], labels: Labels) -> Iterator[Line]:
    """Each series with every bucket, also those that nothing fell into yet: the store has what fell into each alone."""
    found: dict[tuple[str, str, str], dict[str, list[CounterRow]]] = {}
    for part, rows in parts.items():
        for row in rows:
            further = {label: value for label, value in _labels(row).items() if label != _LE}
            key = (row.service, row.environment, written_labels(further))
            found.setdefault(key, {}).setdefault(part, []).append(row)
    bounds = [*(float(bound) for bound in BUCKETS[name]), math.inf]
    for (service, environment, own), series in sorted(found.items()):
        common = ",".join(filter(None, (written_labels(labels(service, environment)), own)))
        buckets = list(_buckets(name, common, series.get(_BUCKET, ()), bounds))
        yield from buckets
        yield Line(f"{name}{_COUNT}", common, buckets[-1].value)
        yield from (Line(row.name, common, float(row.value)) for row in series.get(_SUM, ()))


def _buckets(name: str, common: str, rows: Iterable[CounterRow], bounds: Iterable[float]) -> Iterator[Line]:
    """As running sums; `+Inf` is their count."""
    by_bound = {float(_labels(row).get(_LE, INFINITE)): row for row in rows}
    total = 0.0
    for bound in sorted({*bounds, *by_bound}):
        row = by_bound.get(bound)
        total += float(row.value) if row else 0.0
        said = INFINITE if math.isinf(bound) else repr(bound)
        yield Line(f"{name}{_BUCKET}", f'{common},{_LE}="{said}"', total, _exemplar(row.exemplar) if row else None)


def _labels(row: CounterRow) -> dict[str, str]:
    told = json.loads(row.labels or "{}")
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


def _exemplar(told: Mapping[str, JSON]) -> Exemplar | None:
    value, at = told.get(_VALUE), told.get(_AT)
    labels = {name: text for name, text in told.items() if isinstance(text, str) and name not in (_VALUE, _AT) and text}
    if not labels:
        return None
    number = float(value) if isinstance(value, (int, str)) else 1.0
    return Exemplar(labels, number, float(at) if isinstance(at, (int, str)) else None)
