"""Replays SLOs: asks for their past, judges what they would have done, and compares."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import numpy as np

from controlplane.model.slo import SLO, CompositeIndicator
from controlplane.ports import MetricsBackend
from slo.passes.traffic import is_up
from slo.replay.counts import counts_of
from slo.replay.definition import Definition
from slo.replay.fetching import Asked, Fetcher, Workers
from slo.replay.history import TILE, Span, minute_of
from slo.replay.incidents import Incident, Told, Verdict, verdict_on
from slo.replay.outcome import Outcome, outcome_of
from slo.replay.pairs import Question, histories
from slo.replay.periods import minutes_before, periods_of
from slo.replay.sliding import Flags
from slo.replay.suggestion import Suggestion, suggested

_LONGEST_TIER: Final = 3 * 24 * 60  # minutes, of the standard tiers

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to replay: [since, until), aware, cut to 5 minutes. `most_pages` is per 30 days, for the suggestion.

    `every_minute` asks for each minute instead of only where a page may have been.
    """

    since: datetime
    until: datetime
    most_pages: float = 2
    every_minute: bool = False


@dataclass(frozen=True, slots=True)
class ReplayedBudget:
    """One budget: of an SLO, or of one value of its groups. `current` is None where the SLO is not live.

    `suggestion` is None where nothing was measured, and of composites, whose objective follows from their parts.
    """

    proposed: Outcome
    current: Outcome | None
    group: tuple[tuple[str, str], ...]
    suggestion: Suggestion | None

    @property
    def name(self) -> str:
        """The SLO's name, with the values of its groups."""
        values = ", ".join(f"{label}={value}" for label, value in self.group)
        return f"{self.proposed.slo.name} ({values})" if values else self.proposed.slo.name


@dataclass(frozen=True, slots=True)
class Replay:
    """What came out. `verdict` is None without a list of incidents, `current_verdict` also where nothing is live."""

    since: datetime
    until: datetime
    budgets: tuple[ReplayedBudget, ...]
    verdict: Verdict | None = None
    current_verdict: Verdict | None = None


def replay(
    slos: Sequence[SLO],
    backend: MetricsBackend,
    options: ReplayOptions,
    *,
    current: Iterable[SLO] = (),
    incidents: Sequence[Incident] = (),
    progress: Progress = lambda share: None,
) -> Replay:
    """Replay `slos`, each beside its namesake among `current`. `progress` is told the share that is done.

    Errors of the backend (`Transient`, `Permanent`) pass through; what it has no data for is missing, and told.
    """
    live = {slo.name: slo for slo in current}
    fetcher = Fetcher(backend)
    budgets: list[ReplayedBudget] = []
    with closing(Workers()) as workers:
        waiting = [workers.submit(partial(_one, slo, live.get(slo.name), options, fetcher)) for slo in slos]
        for done, each in enumerate(waiting):
            budgets += each.result()
            progress((done + 1) / len(waiting))
    proposed = [budget.proposed for budget in budgets]
    theirs = [budget.current for budget in budgets if budget.current]
    return Replay(
        options.since,
        options.until,
        tuple(budgets),
        _verdict(incidents, proposed, options) if incidents else None,
        _verdict(incidents, theirs, options) if incidents and theirs else None,
    )


def _verdict(incidents: Sequence[Incident], outcomes: Sequence[Outcome], options: ReplayOptions) -> Verdict:
    sent = [Told(each.slo.name, each.slo.service, told) for each in outcomes for told in each.notifications]
    slos = {each.slo.name: each.slo.service for each in outcomes}
    return verdict_on(incidents, sent, slos, options.since, options.until)


def span_of(slos: Iterable[SLO], options: ReplayOptions) -> Span:
    """The minutes that are needed to judge [since, until) by any of these definitions: the windows before it, too."""
    since = minute_of(options.since) // TILE * TILE
    until = minute_of(options.until) // TILE * TILE
    before = max(_LONGEST_TIER, *(_looked_back_at(slo, options.since) for slo in slos))
    return Span((since - before) // TILE * TILE, since, until + 1)


def _looked_back_at(slo: SLO, since: datetime) -> int:
    """Minutes before `since` that its budget, its alerts and its policy know of."""
    windows = (length for tier in slo.alerting.tiers for length in (tier.short, tier.long, *tier.spent_within))
    longest = max(windows, default=timedelta(0)) // timedelta(minutes=1)
    return max(longest, minutes_before(slo.window, since))


def _one(slo: SLO, live: SLO | None, options: ReplayOptions, fetcher: Fetcher) -> list[ReplayedBudget]:
    counts = counts_of(slo, options.until)
    same = live is not None and counts_of(live, options.until) == counts and live.groups == slo.groups
    span = span_of((slo, live) if live is not None and same else (slo,), options)
    proposed = _definition(slo, span, fetcher)
    current = _definition(live, span, fetcher) if live is not None and same else None
    question = Question((proposed, current) if current else (proposed,), counts, options.every_minute)
    found = histories(question, span, fetcher)
    is_composite = isinstance(slo.indicator, CompositeIndicator)
    theirs: Mapping[tuple[tuple[str, str], ...], Outcome]
    if current is not None:
        theirs = {each.group: outcome_of(current, each.events) for each in found}
    else:
        theirs = _apart(live, options, fetcher) if live is not None else {}
    return [
        ReplayedBudget(
            proposed=outcome_of(proposed, each.events),
            current=theirs.get(each.group),
            group=each.group,
            suggestion=None if is_composite else suggested(proposed, each.events, most_pages=options.most_pages),
        )
        for each in found
    ]


def _apart(live: SLO, options: ReplayOptions, fetcher: Fetcher) -> Mapping[tuple[tuple[str, str], ...], Outcome]:
    """What a live SLO did that measures something else than what is proposed."""
    span = span_of((live,), options)
    definition = _definition(live, span, fetcher)
    question = Question((definition,), counts_of(live, options.until), options.every_minute)
    return {each.group: outcome_of(definition, each.events) for each in histories(question, span, fetcher)}


def _definition(slo: SLO, span: Span, fetcher: Fetcher) -> Definition:
    return Definition(slo, periods_of(slo.window, span), _up(slo, span, fetcher) if slo.policy.up else None)


def _up(slo: SLO, span: Span, fetcher: Fetcher) -> Flags:
    """Whether the service was up, by minute, from every fifth."""
    found = fetcher.arrays(Asked(is_up(slo.policy), span.first, span.end, TILE), ())
    known = found.get((), np.full(-(-span.minutes // TILE), np.nan))
    return np.repeat(~np.isnan(known), TILE)[: span.minutes]
