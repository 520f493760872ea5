"""Replay: how long 30 days of 50 SLOs take on the demo's data, and how far it agrees with rules that really ran."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import budget_shape
from benchmarks.month import DAYS, service_months
from benchmarks.prometheus_data import Backend
from benchmarks.replay import replay as evaluated
from benchmarks.report import Figure, progress, show
from benchmarks.rules import World, firing_minutes, groups_of, write_month
from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.burn_rate import Urgency
from controlplane.model.slo import SLO, Query
from flyball.demo import servers
from flyball.demo.past import write_past
from flyball.demo.platform.catalogue import INTELGRAPH
from flyball.demo.platform.simulation import Simulation
from flyball.demo.run import example_workspace
from flyball.demo.steps import Report
from flyball.slo_workspace import SLOWorkspace
from slo.compiler import CompileOptions
from slo.replay.conditions import alert_states
from slo.replay.counts import counts_of
from slo.replay.definition import Definition
from slo.replay.fetching import Fetcher
from slo.replay.history import minute_of
from slo.replay.pairs import Question, histories
from slo.replay.run import ReplayOptions, replay, span_of

SLOS: Final = 50
LIMIT_SECONDS: Final = 30
SERVICES: Final = 12  # whose rules a Prometheus evaluates over the month: some minutes of work
LEAST_AGREEMENT: Final = 99.95  # % of minutes
_SEED: Final = 1


def run() -> None:
    """Measure and print."""
    show("SLO replay: thirty days", [*_on_the_demo(), *_against_rules()])


# --- how long ---------------------------------------------------------------------------------------------------------


def _on_the_demo() -> list[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        servers.prometheus(Path(folder), out_of_order="35d", block_duration="35d") as server,
    ):
        end = int(time.time()) // 60
        simulation = Simulation(INTELGRAPH, seed=_SEED, start=end - DAYS * 1440, seam=end)
        compiled = SLOWorkspace(example_workspace(), CompileOptions()).compile()
        write_past(simulation, compiled, server.url, clock=SystemClock(), steps=_Quiet())
        backend = PrometheusBackend(server.url, timeout_seconds=120)
        until = datetime.fromtimestamp(end * 60, UTC)
        options = ReplayOptions(until - timedelta(days=DAYS), until)
        began = time.monotonic()
        made = replay(fifty(compiled.slos), backend, options)
        took = time.monotonic() - began
        backend.close()
    pages = sum(len(budget.proposed.told(Urgency.PAGE)) for budget in made.budgets)
    covered = min(budget.proposed.coverage for budget in made.budgets)
    return [
        Figure(f"{SLOS} SLOs on the demo's data", took, "s", LIMIT_SECONDS, detail=f"{pages} pages"),
        Figure("… least share of the time measured", 100 * covered, "%"),
    ]


def fifty(slos: Sequence[SLO]) -> list[SLO]:
    """As many SLOs, each with queries of its own, so that none is answered by another's."""
    return [_variant(slos[number % len(slos)], number // len(slos)) for number in range(SLOS)]


def _variant(slo: SLO, number: int) -> SLO:
    if not number:
        return slo
    queries = {each.name: getattr(slo.indicator, each.name) for each in fields(slo.indicator)}
    changed = {name: _other(query, number) for name, query in queries.items() if isinstance(query, Query)}
    return replace(slo, name=f"{slo.name}-{number}", indicator=replace(slo.indicator, **changed))  # type: ignore[arg-type]


def _other(query: Query, number: int) -> Query:
    """The same series by another text."""
    return replace(query, text=query.text.replace('"}', f'",pod!="none-{number}"}}'))


class _Quiet:
    """Says what it does in one line each."""

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        progress(title)
        yield lambda share: None


# --- how true ---------------------------------------------------------------------------------------------------------


def _against_rules() -> list[Figure]:
    """Minutes in which the replay and the compiled rules, evaluated by a Prometheus, say the same."""
    end = int(time.time()) // 3600 * 3600
    with tempfile.TemporaryDirectory() as folder, servers.prometheus(Path(folder), out_of_order="40d") as server:
        world = World(Backend(server.url), tuple(service_months(SERVICES)), end - DAYS * 86_400, end)
        write_month(world)
        slos = [budget_shape.slo_of(month) for month in world.months]
        recorded = evaluated(world.backend, groups_of(slos, CompileOptions()), world.start, world.end)
        backend = PrometheusBackend(server.url, timeout_seconds=120)
        figures = []
        for urgency in Urgency:
            fired = firing_minutes(world, recorded.get(f"ALERTS-{urgency.value}", []))
            figures += _agreement(world, slos, fired, urgency, backend)
        backend.close()
    return figures


def _agreement(
    world: World,
    slos: Sequence[SLO],
    fired: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]],
    urgency: Urgency,
    backend: PrometheusBackend,
) -> list[Figure]:
    quiet = np.zeros(DAYS * 1440, dtype=bool)
    options = ReplayOptions(datetime.fromtimestamp(world.start, UTC), datetime.fromtimestamp(world.end, UTC))
    fetcher = Fetcher(backend)
    differing, either = 0, 0
    for slo in slos:
        span = span_of([slo], options)
        question = Question((Definition(slo),), counts_of(slo, options.until))
        (found,) = histories(question, span, fetcher)
        states = alert_states(slo, found.events)
        first = minute_of(options.since) - span.first + 1
        model = (states.page if urgency is Urgency.PAGE else states.ticket)[first:]
        real = fired.get(slo.name, quiet)
        if urgency is Urgency.TICKET:
            real = _held(real)
        differing += int((model != real[: len(model)]).sum())
        either += int((model | real[: len(model)]).sum())
    share = 100 * (1 - differing / (len(slos) * DAYS * 1440))
    name = f"{urgency.value}s: minutes in which rules that ran say the same"
    detail = f"{differing} differ of {either} in which either fires"
    return [Figure(name, share, "%", LEAST_AGREEMENT, at_most=False, detail=detail)]


def _held(real: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """An alert that is evaluated every five minutes, as it is in between."""
    held = real.copy()
    # Index i is the minute that ends at i + 1, so evaluations stand at 4, 9, …: each holds for the four after it.
    for start in range(4, len(real), 5):
        held[start : start + 5] = real[start]
    return held
