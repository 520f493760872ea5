"""Rule evaluation, budget error and pages: our compiled rules against a 14-scan set, on the same Prometheus."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import budget_shape, classic_shape, pages
from benchmarks.month import DAYS, STEP_SECONDS, STEPS, ServiceMonth, drills, service_months
from benchmarks.prometheus_data import Backend, Column, Cost, Result
from benchmarks.replay import replay
from benchmarks.report import Figure, progress, show
from controlplane import conventions as names
from controlplane.burn_rate import Urgency
from controlplane.model.rule import RuleGroup
from controlplane.model.slo import SLO
from flyball.demo import servers
from slo.compiler import CompileOptions, compile_rules

WRITE_STEPS: Final = 7_200 // STEP_SECONDS
NORMAL_TRAFFIC: Final = 3.0  # requests a second
MINUTE: Final = 60
LEDGER_DELAY: Final = (
    600 // STEP_SECONDS
)  # an event is in the ledger after ten minutes at the most (docs/reference/rules.md)


@dataclass(frozen=True, slots=True)
class World:
    """A Prometheus that holds the months."""

    backend: Backend
    months: tuple[ServiceMonth, ...]
    start: int
    end: int

    def minute(self, step: int) -> int:
        """The first evaluation that can know of `step`."""
        return -(-step * STEP_SECONDS // MINUTE)


def run() -> None:
    """Measure and print."""
    end = int(time.time()) // 3600 * 3600
    months = (*service_months(50), *drills())
    with tempfile.TemporaryDirectory() as folder, servers.prometheus(Path(folder), out_of_order="40d") as server:
        world = World(Backend(server.url), months, end - DAYS * 86_400, end)
        write_month(world)
        slos = [budget_shape.slo_of(month) for month in months]
        shared = groups_of(slos, CompileOptions(shared_above=0))
        began = time.monotonic()
        recorded = replay(world.backend, shared, world.start, world.end)
        progress(f"30 days of rules evaluated in {time.monotonic() - began:.0f} s")
        _write_averaged(world)
        show("Rule evaluation: per SLO and minute", _costs(world, slos[:50], shared))
        show("Budget error: points of the budget", _budget_errors(world, recorded))
        show("Evaluated pages: thirty days of fifty services", _pages(world, recorded))


def groups_of(slos: Sequence[SLO], options: CompileOptions) -> list[RuleGroup]:
    """All groups of the compiled files."""
    return [group for file in compile_rules(slos, options) for group in file.groups]


def write_month(world: World) -> None:
    """Write the counters of all services, in time order."""
    began = time.monotonic()
    times = world.start + STEP_SECONDS * np.arange(1, STEPS + 1, dtype=np.float64)
    for first in range(0, STEPS, WRITE_STEPS):
        chunk: list[Column] = []
        for month in world.months:
            for labels, values in month.series:
                part = values[first : first + WRITE_STEPS]
                there = np.isfinite(part)
                if there.any():
                    chunk.append((labels, times[first : first + WRITE_STEPS][there], part[there]))
        world.backend.write(chunk)
    progress(f"month written in {time.monotonic() - began:.0f} s")


def _write_averaged(world: World) -> None:
    """The recorded 5-minute ratio that the classic set averages over 30 days."""
    times = world.start + MINUTE * np.arange(1, STEPS // 2 + 1, dtype=np.float64)
    for month in world.months:
        total, bad = classic_shape.minutes(month)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = bad / total
        labels = {"__name__": classic_shape.AVERAGED, "sloth_id": month.name, "sloth_window": "5m"}
        there = np.isfinite(ratio)
        world.backend.write([(labels, times[there], ratio[there])])


# --- cost -------------------------------------------------------------------------------------------------------------


def _costs(world: World, slos: Sequence[SLO], shared: Sequence[RuleGroup]) -> list[Figure]:
    classic = Cost(0, 0)
    for slo in slos:
        for expr in classic_shape.expressions(slo.name):
            classic += world.backend.cost(expr, world.end)
    plain_groups = groups_of(slos, CompileOptions(shared_above=10**6))
    plain = _cost(world, plain_groups).times(1 / len(slos))
    together = _cost(world, shared).times(1 / len(world.months))
    classic = classic.times(1 / len(slos))
    return [
        Figure("classic set: samples touched", classic.samples, "samples"),
        Figure("classic set: evaluation", classic.seconds * 1000, "ms"),
        Figure("plain rules: samples touched", plain.samples, "samples"),
        Figure("plain rules: evaluation", plain.seconds * 1000, "ms"),
        Figure("shared rules: samples touched", together.samples, "samples"),
        Figure("shared rules: evaluation", together.seconds * 1000, "ms"),
        Figure("classic / plain, samples", classic.samples / plain.samples, "times", 50, at_most=False),
        Figure("classic / plain, time", classic.seconds / plain.seconds, "times", 14, at_most=False),
        Figure("classic / shared, time", classic.seconds / together.seconds, "times", 25, at_most=False),
    ]


def _cost(world: World, groups: Sequence[RuleGroup]) -> Cost:
    """Cost a minute of all groups."""
    total = Cost(0, 0)
    for group in groups:
        for rule in group.rules:
            total += world.backend.cost(rule.expr, world.end).times(MINUTE / group.interval.total_seconds())
    return total


# --- budget -----------------------------------------------------------------------------------------------------------


def _budget_errors(world: World, recorded: dict[str, list[Result]]) -> list[Figure]:
    remaining = {result.labels[names.SLO]: result for result in recorded[names.BUDGET_REMAINING]}
    at_end, after_gap = [], []
    missing = 0
    for month in world.months[:50]:
        result = remaining[month.name]
        steps = np.round((result.times - world.start) / STEP_SECONDS).astype(int)
        error = _distance(result.values, _true_remaining(month), steps) * 100
        missing += int(np.isnan(result.values).sum())
        if month.requests_per_second >= NORMAL_TRAFFIC:
            at_end.append(error[-1])
        if month.gap:
            after_gap.append(error[steps > month.gap[1]])
    gaps = np.concatenate(after_gap)
    seen = f"{len(after_gap)} gaps"
    return [
        Figure("after 30 days: median", float(np.median(at_end)), "points", 0.15),
        Figure("after 30 days: max", float(np.max(at_end)), "points", 0.6, detail=f"{len(at_end)} services"),
        Figure("every evaluation after a 2-h gap: median", float(np.median(gaps)), "points"),
        Figure("every evaluation after a 2-h gap: max", float(gaps.max()), "points", 0.3, detail=seen),
        Figure("evaluations that were NaN", missing, "of all", 0),
    ]  # fmt: skip


def _distance(values: NDArray[np.float64], truth: NDArray[np.float64], steps: NDArray[np.int_]) -> NDArray[np.float64]:
    """How far a value is from what was true at some time between now and the ledger's delay ago."""
    recent = np.stack([truth[np.maximum(steps - 1 - delay, 0)] for delay in range(LEDGER_DELAY + 1)])
    return np.maximum(0, np.maximum(recent.min(axis=0) - values, values - recent.max(axis=0)))


def _true_remaining(month: ServiceMonth) -> NDArray[np.float64]:
    """Budget left after each step: 1 − bad ÷ (budget ratio × total ÷ covered share of 30 days)."""
    seen = month.observed()
    total = np.cumsum(np.where(seen, month.total, 0))
    bad = np.cumsum(np.where(seen, month.bad, 0))
    covered = np.cumsum(seen) / STEPS
    with np.errstate(invalid="ignore"):  # before the first request
        left: NDArray[np.float64] = 1 - bad / (month.budget_ratio * total / covered)
    return left


# --- pages ------------------------------------------------------------------------------------------------------------


def _pages(world: World, recorded: dict[str, list[Result]]) -> list[Figure]:
    """The month as Prometheus evaluated it, and how well the model of `benchmarks.pages` agrees with it."""
    quiet = np.zeros(STEPS // 2, dtype=bool)
    fired = {urgency: firing_minutes(world, recorded.get(f"ALERTS-{urgency.value}", [])) for urgency in Urgency}
    ours, classic, differing, big = np.zeros(4, dtype=int), np.zeros(4, dtype=int), 0, 0
    for month in world.months[:50]:
        page, ticket = (fired[urgency].get(month.name, quiet) for urgency in Urgency)
        ours += pages.judged(month, page, ticket)
        classic += pages.judged(
            month, *(classic_shape.alerting(month, pairs) for pairs in (classic_shape.PAGE, classic_shape.TICKET))
        )
        differing += int((page != budget_shape.alerting(month)[Urgency.PAGE]).sum())
        big += len(pages.worth_an_alert(month))
    share = differing / (50 * STEPS / 2)
    return [
        *pages.figures(ours, classic, big),
        Figure("minutes in which the quick model would page otherwise", 100 * share, "%"),
        *_drill_figures(world, fired[Urgency.PAGE]),
    ]


def firing_minutes(world: World, results: Sequence[Result]) -> dict[str, NDArray[np.bool_]]:
    """For each SLO and minute, whether its alert fires; between 5-minute evaluations it stays as it is."""
    found: dict[str, NDArray[np.bool_]] = {}
    for result in results:
        if result.labels["alertname"] != names.ALERT_BURN:
            continue
        minutes = np.round((result.times - world.start) / MINUTE).astype(int) - 1
        firing = found.setdefault(result.labels[names.SLO], np.zeros(STEPS // 2, dtype=bool))
        firing[minutes[minutes >= 0]] = True
    return found


def _drill_figures(world: World, paged: dict[str, NDArray[np.bool_]]) -> list[Figure]:
    figures = []
    for month in world.months[50:]:
        (incident,) = month.incidents
        begin = world.minute(incident.start)
        firing = paged[month.name][begin - 1 :]
        seconds = float(np.argmax(firing)) * MINUTE if firing.any() else float("inf")
        limit = 60 if incident.ratio == 1 else None
        figures.append(Figure(f"seconds to page at {incident.ratio:.0%} errors", seconds, "s", limit))
    return figures
