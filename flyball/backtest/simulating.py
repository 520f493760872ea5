"""Backtests of policies, over what Prometheus recorded or over bills."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Permanent
from finops.ladder.simulation.charged import charged_history
from finops.ladder.simulation.model import Options, Simulation
from finops.ladder.simulation.recorded import Progress, Recorded, recorded_history
from finops.ladder.simulation.running import simulate
from finops.ladder.simulation.traffic import Traffic
from flyball.backtest.bills import Bills
from flyball.backtest.policies import Policy
from flyball.backtest.remembering import RememberingBackend
from flyball.ladder.scopes import scopes_of
from flyball.settings import Settings

_QUERY_SECONDS: Final = 120.0
Steps = Callable[[str], AbstractContextManager[Progress]]
"""Tells what is being done, and gives a place to tell how much of it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time, half-open."""

    begin: datetime
    end: datetime


@contextmanager
def uncollected() -> Iterator[None]:
    """A month is a million small values without a cycle: looking for some among them takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def over_prometheus(
    policies: Sequence[Policy], options: Options, span: Span, settings: Settings, users_query: str, steps: Steps
) -> list[Simulation]:
    """Each policy over what was recorded. Raises what Prometheus raises."""
    credentials = settings.prometheus_credentials.reveal() if settings.prometheus_credentials else ""
    backend = PrometheusBackend(settings.prometheus_url, credentials=credentials, timeout_seconds=_QUERY_SECONDS)
    try:
        backend.ensure_answering()
        remembering = RememberingBackend(backend)
        found = []
        for policy in policies:
            of = Recorded(
                remembering,
                scopes_of(policy.money),
                {each.name: each for each in policy.money.budgets},
                users_query,
                f"History from {backend.address}",
            )
            with uncollected():
                with steps(f"Reading the history of {policy.label}") as progress:
                    history = recorded_history(policy.ladder, of, span.begin, span.end, progress)
                found.append(simulate(policy.ladder, history, options, policy.label))
        return found
    finally:
        backend.close()


@dataclass(frozen=True, slots=True)
class Files:
    """Bills, and traffic beside them."""

    bills: Sequence[Path]
    traffic: Traffic


def over_bills(
    policies: Sequence[Policy],
    options: Options,
    files: Files,
    now: datetime,
    span_of: Callable[[datetime, datetime], Span],
) -> list[Simulation]:
    """Each policy over bills; `span_of` chooses a time within theirs. Raises `UnusableBills`, and as ledgers do."""
    with Bills(files.bills, policies[0].money, now) as bills:
        found = []
        for policy in policies:
            charged = bills.charged(policy, files.traffic)
            span = span_of(charged.start, charged.end)
            if span.end - span.begin < timedelta(minutes=5):
                raise Permanent(f"the bills are about {charged.start:%Y-%m-%d %H:%M} to {charged.end:%Y-%m-%d %H:%M}")
            with uncollected():
                ladder, history = charged_history(policy.ladder, charged, span.begin, span.end)
                found.append(simulate(ladder, history, options, policy.label))
        return found
