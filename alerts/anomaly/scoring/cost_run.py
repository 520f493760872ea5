"""One detector of daily costs at work: the ledger is read again as a whole, every complete day is scored once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from alerts.anomaly.calendars import calendars_of
from alerts.anomaly.daily.model import DailyScores
from alerts.anomaly.daily.scoring import newest
from alerts.anomaly.detector.live import StepScores
from alerts.anomaly.detector.model import Floats, Grid
from alerts.anomaly.episodes.model import Change, EpisodeKind
from alerts.anomaly.episodes.state import State
from alerts.anomaly.explaining.sentences import episode_sentence
from alerts.anomaly.feedback.learning import extended
from alerts.anomaly.groups.aggregating import aggregate, patience_of
from alerts.anomaly.groups.model import Reals
from alerts.anomaly.model import BASELINES, AnomalyDetector, CostQuery
from alerts.anomaly.reading.costs import DailyCosts, daily_costs
from alerts.anomaly.scoring.bank import Rows
from alerts.anomaly.scoring.chunk import Misfit
from alerts.anomaly.scoring.judging import judge_of
from alerts.anomaly.scoring.latest import Latest
from alerts.anomaly.scoring.lineup import Lineup, lineup_of
from alerts.anomaly.scoring.memory import state_of
from alerts.anomaly.scoring.past import Rulings
from alerts.anomaly.scoring.reasons import Told
from alerts.anomaly.scoring.result import CycleResult, Phase, SampleOutcome, Stopwatch, series_counts
from alerts.anomaly.scoring.run import Around
from alerts.anomaly.scoring.standing import begun, ended_as_expected, latest_of, standing_of
from alerts.anomaly.scoring.step_arrays import no_scores
from alerts.anomaly.scoring.stepping import Stepped
from alerts.anomaly.scoring.steps import EPOCH, time_of
from alerts.anomaly.scoring.terms import digest_of, terms_of
from alerts.anomaly.scoring.writing import Writing
from controlplane.calendar.zones import zone
from controlplane.model.anomaly import Episode, Feedback
from controlplane.model.spend import Ledger
from controlplane.ports import CostLedger, HeldLease, Permanent

DAYS_READ: Final = 270  # what is learnt from, and some month ends before it
MOST_CAUGHT_UP: Final = 14  # days
READ_EVERY: Final = timedelta(minutes=30)  # days become complete, and are corrected, at any time
COST: Final = BASELINES.index("cost")
_DAY: Final = timedelta(days=1)
_WEEKS: Final = 4
Ledgers = Callable[[Ledger], CostLedger | None]


class CostRun:
    """Not for two threads at once. Nothing is remembered between cycles but where series stand."""

    def __init__(self, detector: AnomalyDetector, around: Around, ledgers: Ledgers) -> None:
        self.detector = detector
        self._around = around
        self._ledgers = ledgers
        self._digest = digest_of(detector)
        self._lineup: Lineup | None = None
        self._latest: Latest | None = None
        self._read_at: datetime | None = None
        self._learning: tuple[Feedback, ...] = ()  # what people said, as far as it is for fits

    @property
    def scored_to(self) -> datetime | None:
        """The newest day that was scored."""
        return self._latest.at if self._latest else None

    def forget(self) -> None:
        """Take everything from the store again: it is anyway."""
        self._read_at = None

    def is_due(self, now: datetime) -> bool:
        """Whether the ledger may say something new."""
        return self._read_at is None or not timedelta(0) <= now - self._read_at < READ_EVERY

    def cycle(self, now: datetime, lease: HeldLease | None = None) -> CycleResult:
        """Every day that is complete and not judged yet, in one transaction. Raises as `DetectorRun.cycle` does."""
        watch, misfits = Stopwatch(self._around.seconds), Counter[Misfit]()
        with watch(Phase.READ):
            costs = self._costs(now)
            first, count = _index(costs.first), costs.values.shape[1]
            with self._around.store.transaction(read_only=True) as transaction:
                log, name = transaction.anomalies, self.detector.name
                state = state_of(log, name, self._digest, misfits)
                open_ = log.open_episodes(name)
                feedback = tuple(log.feedback(name, since=time_of(first, _DAY)))
                episodes = log.episodes(time_of(first, _DAY), now, detector=name) if feedback else []
                self._learning = tuple(extended(feedback, episodes, now))
        if not count or not len(costs.labels):
            self._read_at = now
            return CycleResult(self.detector.name, seconds=watch.taken, is_stale=True)
        said = [{name: value for name, value in each.items() if value} for each in costs.labels]
        self._lineup = lineup_of(said, self.detector.grouping, self._lineup)
        with watch(Phase.SCORE):
            stepped = self._stepped(costs, state, open_, feedback, now)
        with watch(Phase.STORE):
            Writing(self.detector, self._digest).write(self._around.store, stepped, now, lease)
        self._latest, self._read_at = stepped.latest, now
        return CycleResult(
            detector=self.detector.name,
            steps=stepped.steps,
            scored_to=stepped.latest.at,
            opened=stepped.opened,
            closed=stepped.closed,
            series=series_counts(stepped.latest),
            samples={SampleOutcome.NEW: int(np.isfinite(costs.values[:, count - stepped.steps :]).sum())},
            seconds=watch.taken,
            rebuilt={misfit.value: number for misfit, number in misfits.items()},
            latest=stepped.latest,
        )

    def _costs(self, now: datetime) -> DailyCosts:
        query: CostQuery | None = self.detector.cost
        ledger = None if query is None else self._ledgers(query.ledger)
        if query is None or ledger is None:
            said = query.ledger.value if query else "no"
            raise Permanent(f"detector {self.detector.name} asks the {said} ledger, and there is none")
        return daily_costs(ledger, query, now.astimezone(UTC).date(), DAYS_READ, self.detector.most_series)

    def _stepped(
        self,
        costs: DailyCosts,
        state: State | None,
        open_: list[Episode],
        feedback: tuple[Feedback, ...],
        now: datetime,
    ) -> Stepped:
        lineup, judge = self._seated, judge_of(self.detector)
        values, first = self._values(costs), _index(costs.first)
        end = first + values.shape[1]
        start = end - 1 if state is None else max(state.index + 1, end - MOST_CAUGHT_UP, first)
        if state is None:
            before = values[:, : start - first].astype(np.float32)
            standing = begun(lineup.keys, open_, judge, before, first, _DAY)
        else:
            standing = standing_of(state, lineup.keys, open_)
        state, told = standing.state, [self._told(each, values, first) for each in standing.changes]
        start = min(start, end - 1)  # a day that was judged is shown again: `judge` leaves it as it is
        judged = max(state.index, start - 1)
        found = self._scores(values, costs.first, end - start, self._rulings(feedback, first, now))
        for index in range(start, end):
            scores, column = _step(found, index - start), values[:, index - first].astype(np.float32)
            state, changes = judge.step(state, index, column, scores, lineup.groups)
            told += [self._told(each, values, first) for each in changes]
        state, changes = ended_as_expected(state, feedback, open_, now)
        told += [self._told(each, values, first) for each in changes]
        since = _since(values, first)
        latest = latest_of(self.detector, end - 1, end, lineup, (column, scores, state, since))
        return Stepped(state, latest, max(end - 1 - judged, 0), [], told, standing.ended)

    @property
    def _seated(self) -> Lineup:
        assert self._lineup is not None
        return self._lineup

    def _values(self, costs: DailyCosts) -> Reals:
        """Members and then groups, (N, D)."""
        groups, grouping = self._seated.groups, self.detector.grouping
        if groups is None or grouping is None:
            return costs.values
        _, totals = aggregate(costs.values, groups, how=grouping.aggregate, patience=patience_of(_DAY))
        return np.concatenate([costs.values, totals])

    def _rulings(self, feedback: tuple[Feedback, ...], first: int, now: datetime) -> Rulings:
        local, terms = zone(self.detector.season.time_zone), self.detector.calendars
        calendars = calendars_of(terms, local, time_of(first, _DAY), now, self._around.deployments)
        return Rulings(local, calendars, feedback, self._learning)

    def _scores(self, values: Reals, first: date, days: int, rulings: Rulings) -> DailyScores:
        """Of the last days. What is not learnt from is scored all the same."""
        lineup, count = self._seated, values.shape[1]
        mask = rulings.learnt(Grid(_index(first), _DAY, count), lineup.keys, lineup.labels)
        if mask is not None:
            mask = mask.copy()
            mask[:, count - days :] = True
        return newest(values, first, terms_of(self.detector), days=days, settled=mask)

    def _told(self, change: Change, values: Reals, first: int) -> Told:
        """With what the same weekday cost before."""
        lineup, place = self._seated, change.worst_at - first
        earlier = [
            float(values[change.row, at]) for at in range(place - 7, max(place - 7 * _WEEKS, 0) - 1, -7) if at >= 0
        ]
        explanation = episode_sentence(
            change.kind.value,
            value=change.value,
            expected=change.expected,
            lower=change.lower,
            upper=change.upper,
            score=change.score,
            baseline=BASELINES[COST],
            earlier=[] if change.kind is EpisodeKind.GAP else [each for each in earlier if np.isfinite(each)],
        )
        history = (change.at - int(_since(values[change.row : change.row + 1], first)[0]) + 1) * _DAY
        return Told(change, lineup.keys[change.row], lineup.labels[change.row], explanation, BASELINES[COST], history)


def _index(day: date) -> int:
    return (day - EPOCH.date()).days


def _since(values: Reals, first: int) -> Rows:
    there = np.isfinite(values)
    return np.where(there.any(axis=1), first + there.argmax(axis=1), -1).astype(np.int64)


def _step(found: DailyScores, place: int) -> StepScores:
    """A day as the other detectors have a step: there are no channels, and nothing is sustained."""

    def at(array: Reals) -> Floats:
        return array[:, place].astype(np.float32)

    known = np.isfinite(found.expected[:, place])
    return replace(
        no_scores(len(known)),
        score=at(found.score),
        expected=at(found.expected),
        lower=at(found.lower),
        upper=at(found.upper),
        baseline=np.where(known, COST, 0).astype(np.uint8),
        maturity=found.maturity[:, place],
        shifted=found.shifted[:, place],
        coverage=np.where(known, 1.0, np.nan).astype(np.float32),
    )
