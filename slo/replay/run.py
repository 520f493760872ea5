"""Replays SLOs: asks for their past, judges what they would have done, and compares."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.slo import SLO
from controlplane.ports import MetricsBackend
from slo.indicator import pair_over_past
from slo.replay.fetching import Fetcher, at_work
from slo.replay.history import TILE, Span, minute_of
from slo.replay.incidents import Incident, Told, Verdict, verdict_on
from slo.replay.outcome import Outcome, outcome_of
from slo.replay.pairs import History, Question, histories
from slo.replay.period_starts import period_starts
from slo.replay.suggestion import Suggestion, suggested

_LONGEST_TIER: Final = timedelta(days=3)

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

    `suggestion` is None where nothing was measured.
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
    with at_work() as pool:
        waiting = [pool.submit(_one, slo, live.get(slo.name), options, fetcher) for slo in slos]
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


def span_of(slo: SLO, options: ReplayOptions) -> Span:
    """The minutes that are needed to judge [since, until): with the window before it, on a grid of 5 minutes."""
    since = minute_of(options.since) // TILE * TILE
    until = minute_of(options.until) // TILE * TILE
    before = max(slo.window.length, _LONGEST_TIER) // timedelta(minutes=1)
    return Span((since - before) // TILE * TILE, since, until + 1)


def _one(slo: SLO, live: SLO | None, options: ReplayOptions, fetcher: Fetcher) -> list[ReplayedBudget]:
    pair = pair_over_past(slo, end=options.until)
    same = live is not None and pair_over_past(live, end=options.until) == pair and live.groups == slo.groups
    definitions = (slo, live) if live is not None and same else (slo,)
    span = max((span_of(each, options) for each in definitions), key=lambda each: each.minutes)
    starts = tuple(period_starts(each.window, span) for each in definitions)
    found = histories(Question(definitions, pair, starts, options.every_minute), span, fetcher)
    theirs = _outcomes(live, found if same else _apart(live, options, fetcher)) if live else {}
    return [
        ReplayedBudget(
            proposed=outcome_of(slo, each.events, starts[0]),
            current=theirs.get(each.group),
            group=each.group,
            suggestion=suggested(slo, each.events, starts[0], most_pages=options.most_pages),
        )
        for each in found
    ]


def _apart(live: SLO, options: ReplayOptions, fetcher: Fetcher) -> list[History]:
    """The history of a live SLO that measures something else than what is proposed."""
    span = span_of(live, options)
    question = Question(
        (live,), pair_over_past(live, end=options.until), (period_starts(live.window, span),), options.every_minute
    )
    return histories(question, span, fetcher)


def _outcomes(slo: SLO, found: Iterable[History]) -> Mapping[tuple[tuple[str, str], ...], Outcome]:
    return {each.group: outcome_of(slo, each.events, period_starts(slo.window, each.events.span)) for each in found}
