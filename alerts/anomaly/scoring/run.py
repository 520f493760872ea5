"""One detector at work: a cycle reads, fits what is due, scores every new step, and writes what that means at once."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.anomaly.calendars import calendars_of
from alerts.anomaly.feedback.learning import extended
from alerts.anomaly.model import AnomalyDetector
from alerts.anomaly.ports import Deployments
from alerts.anomaly.reading.history import History
from alerts.anomaly.reading.model import NewSteps
from alerts.anomaly.scoring.latest import Latest
from alerts.anomaly.scoring.lineup import Lineup, lineup_of
from alerts.anomaly.scoring.memory import Memory, memory_of
from alerts.anomaly.scoring.past import Rulings
from alerts.anomaly.scoring.phase_table import PhaseTable
from alerts.anomaly.scoring.result import CycleResult, Phase, SampleOutcome, SeriesState, Stopwatch, series_counts
from alerts.anomaly.scoring.stepping import Corrected, Stepped, Stepping
from alerts.anomaly.scoring.steps import index_at, time_of
from alerts.anomaly.scoring.terms import digest_of, reading_terms, refit_after, steps_ahead, terms_of
from alerts.anomaly.scoring.writing import Writing
from controlplane.calendar.zones import zone
from controlplane.matrix_ports import MatrixBackend
from controlplane.model.anomaly import Feedback
from controlplane.ports import HeldLease, Store, Transient

_MOST_EPISODES: Final = 10_000  # to which words may belong
MOST_CAUGHT_UP: Final = 300  # steps of one cycle: of a longer time in which nobody scored only the latest are judged
FILL_SECONDS: Final = 20.0  # a cycle reads of a past that it needs for so long at most, and goes on in the next one
_STALE_REST: Final = timedelta(seconds=30)  # where nothing has samples nobody is asked again at once
_PAST_REST: Final = timedelta(minutes=1)  # after a piece of the past that could not be read
_LATER_SECONDS: Final = 2.0  # and of what can wait, when it has scored


@dataclass(frozen=True, slots=True)
class Around:
    """What a detector works with. `seconds` is a clock that only goes on."""

    store: Store
    source: MatrixBackend
    seconds: Callable[[], float]
    deployments: Deployments | None = None
    fill_seconds: float = FILL_SECONDS


class DetectorRun:
    """Not for two threads at once. What is remembered between cycles is what the store has, or nothing."""

    def __init__(self, detector: AnomalyDetector, around: Around, history: History | None = None) -> None:
        self.detector = detector
        self._around = around
        self._digest = digest_of(detector)
        self._history = history or History(reading_terms(detector))
        self._memory: Memory | None = None
        self._lineup: Lineup | None = None
        self._table: PhaseTable | None = None
        self._latest: Latest | None = None
        self._is_whole = history is not None  # the weeks before were read, once
        self._corrected: Corrected = frozenset()
        self._rests_until: datetime | None = None
        self._past_rests_until: datetime | None = None
        self._learning: tuple[Feedback, ...] = ()  # what people said, as far as it is for fits

    @property
    def history(self) -> History:
        """What was read: still good for a detector that reads the same."""
        return self._history

    @property
    def scored_to(self) -> datetime | None:
        """The newest step that was scored."""
        return self._latest.at if self._latest else None

    def forget(self) -> None:
        """Somebody else may have gone on with this detector: take everything but samples from the store again."""
        self._memory = None

    def is_due(self, now: datetime) -> bool:
        """Whether a cycle has anything to do."""
        if _rests(self._rests_until, _STALE_REST, now):
            return False
        if self._memory is None or (self._history.remaining and not _rests(self._past_rests_until, _PAST_REST, now)):
            return True
        return index_at(now - self._history.terms.delay, self.detector.step) >= self._history.end

    def cycle(self, now: datetime, lease: HeldLease | None = None) -> CycleResult:
        """Everything that is due, written in one transaction, or nothing.

        Raises Transient, Permanent and LeaseLost; then nothing was written, and the next cycle does the same again
        (episodes and events have the same ids then).
        """
        watch = Stopwatch(self._around.seconds)
        with watch(Phase.READ):
            new = self._history.advance(self._around.source, now)
            samples = _samples(new)
            self._rests_until = now + min(self.detector.step, _STALE_REST) if new.is_stale else None
            is_known = self._memory is not None
            memory, feedback = self._remembered(now)
            plan = _Plan.of(memory, self._history)
            warnings = new.warnings
            if is_known and not plan.needs_everything and self._history.is_read_from(plan.reach):
                warnings += self._fill_rest(samples, watch, _LATER_SECONDS, now)
            else:
                self._fill(plan.reach, samples, watch, self._around.fill_seconds)
            self._note(new)
        stepped, rebuilt = None, dict[str, int]()
        if not plan.is_empty and self._is_read_for(plan):
            rebuilt = {misfit.value: count for misfit, count in memory.misfits.items()}
            stepped = self._stepped(memory, plan, feedback, now, lease, watch)
        with watch(Phase.READ):
            warnings += self._fill_rest(samples, watch, watch.so_far + _LATER_SECONDS, now)
        return CycleResult(
            detector=self.detector.name,
            steps=stepped.steps if stepped else 0,
            scored_to=self.scored_to,
            fitted=stepped.fitted if stepped else 0,
            opened=stepped.opened if stepped else 0,
            closed=stepped.closed if stepped else 0,
            series=self._counts(new),
            samples=samples,
            seconds=watch.taken,
            rebuilt=rebuilt,
            is_stale=new.is_stale,
            remaining=self._history.remaining,
            warnings=tuple(dict.fromkeys(warnings)),
            latest=stepped.latest if stepped else None,
        )

    def _remembered(self, now: datetime) -> tuple[Memory, tuple[Feedback, ...]]:
        """Models and state, and what people said of the time that is kept."""
        name = self.detector.name
        with self._around.store.transaction(read_only=True) as transaction:
            log = transaction.anomalies
            since = time_of(self._history.first, self.detector.step)
            feedback = self._learning = tuple(log.feedback(name, since=since))
            if feedback:
                episodes = log.episodes(since, now, detector=name, limit=_MOST_EPISODES)
                self._learning = tuple(extended(feedback, episodes, now))
            if self._memory is None:
                self._memory = memory_of(log, name, self._digest, terms_of(self.detector))
            self._memory.open = log.open_episodes(name)
        return self._memory, feedback

    def _is_read_for(self, plan: "_Plan") -> bool:
        """Whether steps may be scored: what was not read yet is not missing."""
        return self._history.remaining == 0 or (
            not plan.needs_everything and self._history.is_read_from(plan.reach)
        )  # fmt: skip

    def _fill(self, reach: int, samples: "Counter[SampleOutcome]", watch: Stopwatch, until: float) -> None:
        """Read of the past until `reach`, as long as the cycle has not taken `until` seconds."""
        history = self._history
        was_whole = self._is_whole
        while history.remaining and _oldest(history) > reach and watch.so_far < until:
            filled = history.fill(self._around.source)
            samples[SampleOutcome.TOO_LATE] += filled.too_late
            samples[SampleOutcome.DUPLICATE] += filled.duplicates
            if filled.too_late or filled.changed or (was_whole and filled.samples):
                self._corrected = None
        self._is_whole = was_whole or history.remaining == 0

    def _fill_rest(
        self, samples: "Counter[SampleOutcome]", watch: Stopwatch, until: float, now: datetime
    ) -> tuple[str, ...]:
        """Read of the past what no step waits for: where that fails, what is new is scored all the same."""
        if _rests(self._past_rests_until, _PAST_REST, now):
            return ()
        try:
            self._fill(self._history.first, samples, watch, until)
        except Transient as error:
            self._past_rests_until = now + _PAST_REST
            return (f"the past cannot be read now: {error}",)
        return ()

    def _note(self, new: NewSteps) -> None:
        """Which rows have to be learnt anew. What is read for the first time is learnt anyway."""
        if self._corrected is not None:
            self._corrected |= {int(row) for row in (*new.late[:, 0], *new.changed[:, 0])}

    def _stepped(
        self,
        memory: Memory,
        plan: "_Plan",
        feedback: tuple[Feedback, ...],
        now: datetime,
        lease: HeldLease | None,
        watch: Stopwatch,
    ) -> Stepped:
        self._memory = None  # models change while they score: they count again when all of it is stored
        stepping = Stepping(
            self.detector,
            self._history,
            lineup_of(self._history.labels, self.detector.grouping, self._lineup),
            self._rulings(feedback, now),
            table=self._table,
            refit_after=refit_after(self.detector),
            ahead=steps_ahead(self.detector),
            watch=watch,
        )
        stepped = stepping.through(memory, plan.start, plan.newest, self._corrected)
        with watch(Phase.STORE):
            Writing(self.detector, self._digest).write(self._around.store, stepped, now, lease)
        memory.state = stepped.state
        memory.misfits.clear()
        self._memory, self._lineup, self._table = memory, stepping.lineup, stepping.table
        self._latest, self._corrected = stepped.latest, frozenset()
        return stepped

    def _rulings(self, feedback: tuple[Feedback, ...], now: datetime) -> Rulings:
        local, step = zone(self.detector.season.time_zone), self.detector.step
        start = time_of(self._history.first, step)
        end = time_of(self._history.end + steps_ahead(self.detector), step)
        terms = self.detector.calendars
        calendars = calendars_of(terms, local, start, max(end, now), self._around.deployments)
        return Rulings(local, calendars, feedback, self._learning)

    def _counts(self, new: NewSteps) -> dict[SeriesState, int]:
        counts = series_counts(self._latest) if self._latest else {SeriesState.WARMING: len(self._history.labels)}
        return {**counts, SeriesState.DROPPED: new.dropped}


@dataclass(frozen=True, slots=True)
class _Plan:
    """Steps `start` … `newest` are to be scored, for which the past must be known back to `reach`."""

    start: int
    newest: int
    reach: int
    needs_everything: bool

    @property
    def is_empty(self) -> bool:
        return self.start > self.newest

    @staticmethod
    def of(memory: Memory, history: History) -> "_Plan":
        """Nobody scores steps of which nothing has a sample: they may still come."""
        newest = int(history.last_seen.max(initial=-1))
        if newest < 0:
            return _Plan(0, -1, history.first, needs_everything=True)
        limits = [each for bank in memory.banks if (each := bank.good_until) is not None]
        needs_everything = memory.is_new or memory.state is None or min(limits) <= newest
        nexts = [each for bank in memory.banks if (each := bank.next_index) is not None]
        start = newest if memory.state is None else min([*nexts, memory.judged + 1])
        start = max(start, newest - MOST_CAUGHT_UP + 1, history.first + 1)
        return _Plan(start, newest, history.first if needs_everything else start - 1, needs_everything)


def _rests(until: datetime | None, longest: timedelta, now: datetime) -> bool:
    """A clock that was ahead and is right again makes nobody rest for longer."""
    return until is not None and until - longest <= now < until


def _oldest(history: History) -> int:
    """The first step that was read, of those without a gap up to now."""
    return history.first + history.remaining


def _samples(new: NewSteps) -> "Counter[SampleOutcome]":
    late = len(new.late) + len(new.changed)
    found = {SampleOutcome.NEW: new.new, SampleOutcome.LATE: late, SampleOutcome.DUPLICATE: new.duplicates}
    return Counter(found)
