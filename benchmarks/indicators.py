"""Every kind of indicator on a real Prometheus: budget error against a generated truth, and samples touched."""

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import snappy

from benchmarks.classic_shape import WINDOWS
from benchmarks.indicator_month import SCANNED, STEP_SECONDS, STEPS_A_DAY, Case, Numbers, cases, wide_cases
from benchmarks.native_samples import encoded
from benchmarks.prometheus_data import Backend, Column, Result
from benchmarks.replay import replay
from benchmarks.report import Figure, progress, show
from controlplane import conventions as names
from controlplane.adapters.remote_write import RemoteWriter
from controlplane.model.rule import RecordingRule, RuleGroup
from flyball.demo import servers
from slo.compiler import compile_rules

DAYS: Final = 30
EACH: Final = 3
MINUTE: Final = 60
LEDGER_DELAY: Final = 600 // STEP_SECONDS  # an event is in the ledger after ten minutes at the most
_AT_ONCE: Final = STEPS_A_DAY // 4


@dataclass(frozen=True, slots=True)
class Month:
    """Cases whose series a Prometheus holds, and when they begin."""

    backend: Backend
    cases: tuple[Case, ...]
    start: int
    end: int


def run() -> None:
    """Measure and print."""
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.prometheus(
            Path(folder), out_of_order="40d", block_duration="60d", features=["native-histograms"]
        ) as server,
    ):
        began = time.monotonic()
        month = written(server.url, [*cases(DAYS, EACH), *wide_cases(DAYS)], days=DAYS, now=int(time.time()))
        progress(f"{DAYS} days written in {time.monotonic() - began:.0f} s")
        errors = budget_errors(month)
        progress(f"rules evaluated after {time.monotonic() - began:.0f} s")
        show("Indicator budgets: error in points of the budget after 30 days", _error_figures(errors))
        show("Indicator samples: touched per SLO and minute", list(_sample_figures(month)))


def written(url: str, made: Sequence[Case], *, days: int, now: int) -> Month:
    """Write all series of the cases, in the order of time."""
    end = now // 3600 * 3600
    start = end - days * 86_400
    backend = Backend(url)
    times = start + STEP_SECONDS * np.arange(1, days * STEPS_A_DAY + 1, dtype=np.float64)
    with RemoteWriter(url, timeout_seconds=600) as writer:
        for first in range(0, len(times), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            backend.write(_columns(made, times, part))
            histograms = b"".join(_histograms(made, times, part))
            if histograms:
                writer.send(snappy.compress(histograms))
    return Month(backend, tuple(made), start, end)


def _columns(made: Sequence[Case], times: Numbers, part: slice) -> Iterator[Column]:
    for case in made:
        for labels, values in case.series:
            there = np.isfinite(values[part])
            if there.any():
                yield labels, times[part][there], values[part][there]


def _histograms(made: Sequence[Case], times: Numbers, part: slice) -> Iterator[bytes]:
    for case in made:
        for each in case.histograms:
            pairs = zip(times[part], each.fast[part], each.slow[part], strict=True)
            yield encoded(each.labels, ((int(at), {-2: int(fast), 1: int(slow)}) for at, fast, slow in pairs))


# --- budget -----------------------------------------------------------------------------------------------------------

_NEEDED: Final = frozenset(
    {names.ROLLING_EVENTS, names.LEDGER_EVENTS, names.SLICE_BAD, names.PART_EVENTS, names.PART_LEDGER, names.PART_USUAL}
    | {names.WINDOW_COVERAGE, names.BUDGET_EVENTS, names.BUDGET_REMAINING}
)


def budget_errors(month: Month) -> dict[str, list[float]]:
    """For each kind and each budget the distance in points at the end, from what was true within the ledger's delay."""
    recorded = replay(month.backend, _groups(month), month.start, month.end)
    remaining = {_key(result): result for result in recorded[names.BUDGET_REMAINING]}
    errors: dict[str, list[float]] = defaultdict(list)
    for case in month.cases:
        for group, truth in case.truth.items():
            window = int(case.slo.window.length.total_seconds()) // STEP_SECONDS
            left = truth.remaining(float(case.slo.budget_ratio), window)[-1 - LEDGER_DELAY :]
            result = remaining.get((case.slo.name, *group))
            value = float("inf") if result is None else float(result.values[-1])
            error = 100 * max(0.0, float(left.min()) - value, value - float(left.max()))
            progress(f"{case.slo.name} {group}: {value:.4f}, truly {left[-1]:.4f}, off by {error:.3f} points")
            errors[case.kind].append(error)
    return errors


def _key(result: Result) -> tuple[str, ...]:
    known = {"__name__", names.SLO}
    return (result.labels[names.SLO], *(value for name, value in sorted(result.labels.items()) if name not in known))


def _groups(month: Month) -> list[RuleGroup]:
    """The rules that the budget needs."""
    found = []
    for file in compile_rules(case.slo for case in month.cases):
        for group in file.groups:
            rules = tuple(rule for rule in group.rules if isinstance(rule, RecordingRule) and _is_needed(rule))
            found.append(RuleGroup(group.name, group.interval, rules))
    return found


def _is_needed(rule: RecordingRule) -> bool:
    return rule.record in _NEEDED or rule.record.startswith(names.total_events(""))


def _error_figures(errors: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for kind, found in errors.items():
        figures.append(Figure(f"{kind}: median", float(np.median(found)), "points", 0.15))
        figures.append(Figure(f"{kind}: max", max(found), "points", 0.6, detail=f"{len(found)} budgets"))
    return figures


# --- cost -------------------------------------------------------------------------------------------------------------


def _sample_figures(month: Month) -> Iterator[Figure]:
    """The last case of every kind. The classic set scans each of seven windows, and averages 30 days of minutes."""
    last = {case.kind: case for case in month.cases}
    for kind, case in last.items():
        rules = [
            (rule, group.interval)
            for file in compile_rules([case.slo])
            for group in file.groups
            for rule in group.rules
        ]
        ours = sum(
            month.backend.cost(rule.expr, month.end, 1).samples * MINUTE / interval.total_seconds()
            for rule, interval in rules
        )
        yield Figure(f"{kind}: our rules", ours, "samples")
        if case.classic is not None:
            scans = sum(month.backend.cost(case.classic(window), month.end, 1).samples for window in WINDOWS)
            averages = 2 * DAYS * 1440 * len(case.truth)
            yield Figure(f"{kind}: classic set", scans + averages, "samples")
            detail = f"{SCANNED} series" if case.slo.name.endswith("-wide") else "series are born and die"
            yield Figure(
                f"{kind}: classic / ours", (scans + averages) / ours, "times", 50, at_most=False, detail=detail
            )


if __name__ == "__main__":
    run()
