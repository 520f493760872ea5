"""Gives a renamed SLO the past that was recorded under its earlier name, by writing it again under the new one.

Once, and exactly: the samples with their times. The rule engine must take samples as old as the window (Prometheus:
`--web.enable-remote-write-receiver` and `storage.tsdb.out_of_order_time_window`). Doing it again changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.series import Sample, Series
from controlplane.model.slo import SLO, CalendarWindow
from controlplane.ports import MetricsBackend, SeriesWriter
from slo.cold_start import ROLLING_PAST
from slo.manifest import Manifest, slo_of
from slo.plan.history import renamed

_NAME: Final = "__name__"
_LONGER_PERIOD: Final = timedelta(days=2)  # than its nominal length: a quarter can have 92 days


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written for one SLO."""

    name: str
    earlier_name: str
    samples: int
    days: float


def renames_between(before: Manifest | None, after: Sequence[str]) -> tuple[tuple[str, SLO], ...]:
    """Earlier names and the SLOs that have their past to get: those that no annotation names already."""
    if before is None:
        return ()
    old, new = set(before.lines), set(after)
    gone, come = ([slo_of(line) for line in sorted(lines)] for lines in (old - new, new - old))
    known = {slo.name: slo for slo in come}
    kept = {slo.name for slo in gone} & known.keys()
    found = renamed([slo for slo in gone if slo.name not in kept], [slo for slo in come if slo.name not in kept])
    pairs = ((earlier, known[name]) for name, earlier in sorted(found.items()))
    return tuple((earlier, slo) for earlier, slo in pairs if earlier not in slo.renamed_from)


def copy_history(
    renames: Iterable[tuple[str, SLO]], backend: MetricsBackend, writer: SeriesWriter, now: datetime
) -> list[Copied]:
    """Write the past of each under its new name. Errors as the ports raise them; what was written stays."""
    return [_copied(earlier, slo, backend, writer, now) for earlier, slo in renames]


def _copied(earlier: str, slo: SLO, backend: MetricsBackend, writer: SeriesWriter, now: datetime) -> Copied:
    window = slo.window.length
    stretches = {
        **dict.fromkeys((names.LEDGER_EVENTS, names.PART_LEDGER, names.EXCLUDED_LEDGER), window),
        **dict.fromkeys((names.ROLLING_EVENTS, names.PART_EVENTS, names.EXCLUDED_ROLLING), ROLLING_PAST),
    }
    if isinstance(slo.window, CalendarWindow):
        stretches |= dict.fromkeys((names.PERIOD_EVENTS, names.EXCLUDED_PERIOD), window + _LONGER_PERIOD)
    count, first = 0, now
    for record, length in stretches.items():
        asked = backend.query(f'{record}{{{names.SLO}="{earlier}"}}[{duration(length)}]', now)
        samples = _of_latest_period(asked)
        series = _under_new_name(samples, record, slo.name)
        writer.write(series)
        count += len(samples)
        first = min([first, *(sample.at for sample in samples)])
    return Copied(slo.name, earlier, count, (now - first) / timedelta(days=1))


def _of_latest_period(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Those of the current period of a calendar window: earlier ones count for nothing, and may be too old to write."""
    latest = max((int(sample.labels.get(names.PERIOD, 0)) for sample in samples), default=0)
    return [sample for sample in samples if int(sample.labels.get(names.PERIOD, 0)) == latest]


def _under_new_name(samples: Iterable[Sample], record: str, name: str) -> list[Series]:
    points: dict[tuple[tuple[str, str], ...], list[tuple[datetime, float]]] = defaultdict(list)
    for sample in samples:
        labels: Mapping[str, str] = {**sample.labels, _NAME: record, names.SLO: name}
        points[tuple(sorted(labels.items()))].append((sample.at, sample.value))
    return [Series(dict(labels), tuple(each)) for labels, each in points.items()]
