"""Ladders on /metrics, from the store: every replica says the same, whoever leads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from controlplane import conventions as names
from controlplane.model.ladder import SavingsReceipt, StepOutcome, StepRecord
from controlplane.ports import Clock, Permanent, Store, Transient
from finops.ladder.controller.expiring import expiries
from finops.ladder.deciding import Because, ControllerState
from finops.ladder.model import Ladder
from finops.ladder.readings import Quality, Reading
from finops.ladder.savings.believing import saves_nothing
from finops.ladder.standing import Standing, standings

STEPS_OF: Final = timedelta(days=30)
RECEIPTS_OF: Final = timedelta(days=7)
_STORE_DOWN: Final = "store-down"  # key of `LadderState.told`: since when the flag store does not answer
_NO_HINDRANCE: Final = frozenset({Because.COUNTING, Because.EXPIRES})
BRAKE: Final = "brake:"  # before the name of an SLO among signals

_HELP: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    names.LADDER_TIER: ("The tier in force, 0 at full service.", (names.LADDER,)),
    names.LADDER_SHADOW_TIER: ("The tier that a ladder in shadow mode would have in force.", (names.LADDER,)),
    names.LADDER_INFO: ("1 for each ladder.", (names.LADDER, names.MODE, names.FLAG_STORE, "owner")),
    names.LADDER_SIGNAL: ("A signal's value in the last sample, absent without one.", (names.LADDER, names.SIGNAL)),
    names.LADDER_SIGNAL_GOOD: ("1 while a signal's last reading may be used.", (names.LADDER, names.SIGNAL)),
    names.LADDER_SAMPLED_AT: ("When a ladder was judged last.", (names.LADDER,)),
    names.LADDER_HELD: ("1 while a ladder may not move, by reason.", (names.LADDER, names.REASON)),
    names.LADDER_ASKS: ("1 while an approval is asked for.", (names.LADDER, names.TIER)),
    names.LADDER_THEIRS: ("Flags that people changed, undecided.", (names.LADDER,)),
    names.LADDER_OPEN_STEP: ("When the open step was decided.", (names.LADDER, names.PHASE)),
    names.LADDER_STEPS: ("Steps of the last 30 days, by how they ended.", (names.LADDER, names.OUTCOME)),
    names.LADDER_FAILED_AT: ("When a step was undone last.", (names.LADDER,)),
    names.LADDER_STORE_DOWN_SINCE: ("Since when the flag store does not answer, while it does not.", (names.LADDER,)),
    names.LADDER_EXPIRES_AT: ("Until when a tier in force may stand.", (names.LADDER, names.TIER)),
    names.LADDER_SAVING: (
        "Money an hour that a tier saves: predicted, realised, and its 80 % interval.",
        (names.LADDER, names.TIER, names.CURRENCY, names.OF),
    ),
    names.LADDER_SAVED: ("Money that a tier in force saved so far.", (names.LADDER, names.TIER, names.CURRENCY)),
    names.LADDER_SAVES_NOTHING: (
        "1 of a tier that surely saves less than a quarter of what was predicted.",
        (names.LADDER, names.TIER, names.CURRENCY),
    ),
    names.LADDER_KILLED: ("1 while the kill switch is set.", ()),
}


class LadderCollector:
    """Give it to a registry. `declared` are the ladders of the last good files, `killed` why nothing is written.

    The store is read once a scrape. While it does not answer nothing is said of any ladder: missing is not 0.
    """

    def __init__(
        self, store: Store, declared: Callable[[], Sequence[Ladder]], killed: Callable[[], str], clock: Clock
    ) -> None:
        self._store = store
        self._declared = declared
        self._killed = killed
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return list(_families().values())

    def collect(self) -> Iterator[Metric]:
        """Gauges of every ladder that is declared or has a tier in force."""
        now = self._clock.now()
        families = _families()
        families[names.LADDER_KILLED].add_metric((), float(bool(self._killed())))
        declared = {ladder.name: ladder for ladder in self._declared()}
        try:
            with self._store.transaction(read_only=True) as transaction:
                log = transaction.ladders
                found = [_Of(one, log.steps(one.name, now - STEPS_OF)) for one in standings(log, declared, now)]
        except (Transient, Permanent):
            yield families[names.LADDER_KILLED]
            return
        for each in found:
            for name, labels, value in each.samples():
                families[name].add_metric((each.standing.name, *labels), value)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    return {name: GaugeMetricFamily(name, text, labels=labels) for name, (text, labels) in _HELP.items()}


_Samples = Iterator[tuple[str, tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class _Of:
    """What is told of one ladder; labels come after its name."""

    standing: Standing
    steps: Sequence[StepRecord]

    def samples(self) -> _Samples:
        yield from self._place()
        yield from self._judged()
        yield from self._moves()
        yield from self._savings()

    def _place(self) -> _Samples:
        one, ladder = self.standing, self.standing.ladder
        yield names.LADDER_TIER, (), one.tier
        if one.is_shadow and one.last:
            yield names.LADDER_SHADOW_TIER, (), one.last.tier
        if ladder is not None:
            yield names.LADDER_INFO, (ladder.mode.value, ladder.store, ladder.owner), 1
            for tier, at in self._expiries(ladder):
                yield names.LADDER_EXPIRES_AT, (str(tier),), at.timestamp()
        yield names.LADDER_THEIRS, (), len(one.theirs)
        down = (one.state.told or {}).get(_STORE_DOWN) if one.state else None
        if isinstance(down, dict) and (since := _time(down.get("since"))) is not None:
            yield names.LADDER_STORE_DOWN_SINCE, (), since.timestamp()

    def _expiries(self, ladder: Ladder) -> Iterator[tuple[int, datetime]]:
        applied = self.standing.state.applied if self.standing.state else ()
        state = ControllerState(tier=self.standing.tier, entered={each.tier: each.since for each in applied})
        yield from sorted(expiries(ladder, state, self.standing.approvals, self.standing.at).items())

    def _judged(self) -> _Samples:
        last = self.standing.last
        if last is None:
            return
        yield names.LADDER_SAMPLED_AT, (), last.at.timestamp()
        brakes = ((f"{BRAKE}{slo}", reading) for slo, reading in last.readings.brakes.items())
        for signal, reading in (*sorted(last.readings.signals.items()), *sorted(brakes)):
            yield from _reading(signal, reading)
        reasons = {note.because for note in last.notes} - _NO_HINDRANCE
        reasons |= {Because.THEIRS} if self.standing.theirs else set()
        reasons |= {Because.HELD} if self.standing.hold else set()
        for reason in sorted(reasons, key=lambda each: each.value):
            yield names.LADDER_HELD, (reason.value,), 1
        for tier in self.standing.asks:
            yield names.LADDER_ASKS, (str(tier),), 1

    def _moves(self) -> _Samples:
        if self.standing.step is not None:
            yield names.LADDER_OPEN_STEP, (self.standing.step.phase.value,), self.standing.step.decided_at.timestamp()
        for outcome in StepOutcome:
            yield names.LADDER_STEPS, (outcome.value,), sum(step.outcome is outcome for step in self.steps)
        failed = [step.ended_at for step in self.steps if step.outcome is StepOutcome.UNDONE and step.ended_at]
        if failed:
            yield names.LADDER_FAILED_AT, (), max(failed).timestamp()

    def _savings(self) -> _Samples:
        """Of each tier its latest receipt, while it is in force and a week afterwards."""
        at, latest = self.standing.at, dict[int, SavingsReceipt]()
        for receipt in self.standing.receipts:
            if receipt.until is None or at - receipt.until < RECEIPTS_OF:
                latest[receipt.tier] = max(
                    receipt, latest.get(receipt.tier, receipt), key=lambda each: (each.until is None, each.since)
                )
        for tier, receipt in sorted(latest.items()):
            whose = str(tier), receipt.currency
            for of in ("predicted", "realised", "low", "high"):
                if (value := getattr(receipt, of)) is not None:
                    yield names.LADDER_SAVING, (*whose, of), float(value)
            if receipt.saved is not None and receipt.until is None:
                yield names.LADDER_SAVED, whose, float(receipt.saved)
            yield names.LADDER_SAVES_NOTHING, whose, float(saves_nothing(receipt, at))


def _reading(signal: str, reading: Reading) -> _Samples:
    is_good = reading.quality is Quality.GOOD
    yield names.LADDER_SIGNAL_GOOD, (signal,), float(is_good)
    if is_good and reading.value is not None:
        yield names.LADDER_SIGNAL, (signal,), float(reading.value)


def _time(written: object) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
