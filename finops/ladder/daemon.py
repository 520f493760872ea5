"""The ladder's control loop: takes up what is left of a step, carries out orders, judges, steps. One step a turn."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from controlplane.ladder_ports import JourneyRunner
from controlplane.model.ladder import LadderOrder, OrderKind, StepOutcome, StepPhase, StepRecord
from controlplane.ports import Clock, HeldLease, Store
from finops.flags.model import DeclaredStore
from finops.flags.ports import OpenStore
from finops.ladder.acting import ordered, stranded, straying, taking_back
from finops.ladder.acting.act import Act
from finops.ladder.acting.flag_calls import StoreDown, StoreRefused, calling
from finops.ladder.acting.journal import STORE_DOWN, Journal
from finops.ladder.acting.judging import Judge, Judgement, ReadSignals, acts
from finops.ladder.acting.rehearsing import Rehearsal, rehearse
from finops.ladder.acting.stepper import Stepper
from finops.ladder.acting.watching import watch
from finops.ladder.last_decision import last_of
from finops.ladder.model import Ladder
from finops.ladder.standing import SHADOW

EARLY: Final = timedelta(seconds=1)  # a turn may come that much before it is due: jobs do not fire to the millisecond
KEEP: Final = timedelta(days=400)  # steps, orders, receipts and approvals that are over; the audit log keeps all
_PURGE_EVERY: Final = timedelta(hours=6)
_LOOK_EVERY: Final = timedelta(seconds=30)  # at flags of ladders that nobody judges
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LadderTurn:
    """What one turn did, over all ladders. `open`: steps that wait; `yielded`: flags that are theirs now."""

    judged: int = 0
    committed: int = 0
    undone: int = 0
    open: int = 0
    orders: int = 0
    yielded: int = 0

    def __add__(self, other: "LadderTurn") -> "LadderTurn":
        return LadderTurn(
            self.judged + other.judged,
            self.committed + other.committed,
            self.undone + other.undone,
            self.open + other.open,
            self.orders + other.orders,
            self.yielded + other.yielded,
        )


@dataclass(slots=True)
class LadderDaemon:
    """Everything is a port. `stores` are the declared flag stores; `ids` gives names that nothing else has; `wait`
    sleeps for seconds; `is_killed` says what has set the kill switch, empty while it is not set.
    """

    store: Store
    open_store: OpenStore
    stores: Callable[[], Sequence[DeclaredStore]]
    read_signals: ReadSignals
    run_journeys: JourneyRunner
    is_killed: Callable[[], str]
    ids: Callable[[], str]
    wait: Callable[[float], None]
    clock: Clock
    _looked: dict[str, datetime] = field(default_factory=dict, init=False)
    _purged: datetime | None = field(default=None, init=False)

    def run_once(self, ladders: Sequence[Ladder], now: datetime, lease: HeldLease | None = None) -> LadderTurn:
        """One turn over every ladder that is declared, or that has flags changed. May be repeated at any moment.

        Raises `LeaseLost` when somebody else leads and `Transient` when the database does not answer; what was begun
        is taken up by the next turn, whoever makes it.
        """
        done = LadderTurn()
        declared = {ladder.name: ladder for ladder in ladders}
        for name in [*declared, *self._left_over(declared)]:
            done += self._turn(name, declared.get(name), self._moment(now), lease)
        self._purge(now, lease)
        return done

    def rehearse(self, ladder: Ladder, to_tier: int, now: datetime) -> Rehearsal:
        """What a drill would meet; nothing is written."""
        return rehearse(self._stepper(), ladder, to_tier, now)

    def _left_over(self, declared: dict[str, Ladder]) -> Iterator[str]:
        """Ladders that are not declared and have a tier in force, a step that has not ended or an order."""
        with self.store.transaction(read_only=True) as transaction:
            ladders = transaction.ladders
            for state in ladders.states():
                name = state.ladder
                if name in declared or name.endswith(SHADOW):
                    continue
                if state.applied or state.theirs or ladders.open_step(name) or ladders.open_orders(name):
                    yield name

    def _turn(self, name: str, ladder: Ladder | None, now: datetime, lease: HeldLease | None) -> LadderTurn:
        stepper = self._stepper()
        journal = stepper.journal(name, ladder, lease)
        done = LadderTurn()
        with self.store.transaction(read_only=True) as transaction:
            step = transaction.ladders.open_step(name)
            orders = transaction.ladders.open_orders(name)
        if step is not None:
            step = stepper.forward(step, ladder, lease)
            done += _ended(step)
        elif orders:
            done += self._order(stepper, journal, orders[0], now)
        if self._is_due(name, ladder, now):
            done += self._judge(stepper, journal, ladder, self._moment(now))
        return done

    def _moment(self, now: datetime) -> datetime:
        """The time of what comes next: a step before it may have taken minutes."""
        return max(now, self.clock.now())

    def _judge(self, stepper: Stepper, journal: Journal, ladder: Ladder | None, now: datetime) -> LadderTurn:
        """Look at the flags in force, then at the signals; make the step that they ask for."""
        done = LadderTurn(yielded=len(self._look(stepper, journal, now)))
        stranded.tell(journal, now)
        if ladder is None:
            return done
        judge = Judge(self.store, self.read_signals, self.is_killed, self.ids)
        if not acts(ladder):
            judge.judge_virtually(ladder, journal.lease, now)
            return done + LadderTurn(judged=1)
        judged = judge.judge(journal, ladder, now)
        _log(ladder, judged)
        done += LadderTurn(judged=1)
        if judged.step is not None:
            done += _ended(stepper.forward(judged.step, ladder, journal.lease))
        return done

    def _order(self, stepper: Stepper, journal: Journal, order: LadderOrder, now: datetime) -> LadderTurn:
        if order.kind is OrderKind.KEEP_THEIRS:
            taking_back.keep_theirs(journal, order, now)
            return LadderTurn(orders=1)
        if order.kind is OrderKind.TAKE_BACK:
            return LadderTurn(orders=int(self._take_back(stepper, journal, order, now).done_at is not None))
        following = ordered.next_step(journal, order, self.is_killed(), self.ids, now)
        done = LadderTurn(orders=int(following.order.done_at is not None))
        if following.step is not None:
            done += _ended(stepper.forward(following.step, journal.ladder, journal.lease))
        return done

    def _take_back(self, stepper: Stepper, journal: Journal, order: LadderOrder, now: datetime) -> LadderOrder:
        try:
            with ExitStack() as stack:
                return taking_back.take_back(self._act(stack, stepper, journal), order, now)
        except (StoreDown, StoreRefused) as error:
            return taking_back.fail(journal, order, str(error), now)

    def _look(self, stepper: Stepper, journal: Journal, now: datetime) -> list[str]:
        """Flags that people changed since the last look. Not while a step is open: that one looks itself."""
        with self.store.transaction(read_only=True) as transaction:
            state = transaction.ladders.state(journal.name)
            is_stepping = transaction.ladders.open_step(journal.name) is not None
            newest = next(iter(transaction.ladders.steps(journal.name, limit=1)), None)
        is_stray = straying.may_stray(newest, now)
        is_silent = state is not None and STORE_DOWN in (state.told or {})
        if state is None or is_stepping or not (state.applied or is_stray or is_silent):
            return []
        try:
            with ExitStack() as stack:
                act = self._act(stack, stepper, journal)
                if is_stray and newest is not None and newest.store == act.flags.name:
                    straying.put_back(act, newest, state)
                return watch(act, state) if state.applied or is_silent else []
        except (StoreDown, StoreRefused) as error:
            log.warning("finops.flag_store_closed", extra={"ladder": journal.name, "error": str(error)})
            return []

    def _act(self, stack: ExitStack, stepper: Stepper, journal: Journal) -> Act:
        state = journal.state()
        name = state.store if state is not None and state.store else journal.ladder.store if journal.ladder else ""
        with calling():
            opened = stack.enter_context(self.open_store(name))
        return stepper.act(opened, name, journal)

    def _is_due(self, name: str, ladder: Ladder | None, now: datetime) -> bool:
        """Whether it is time for a sample. A new leader goes on by what the last one kept: no sample comes too soon."""
        last = self._looked.get(name)
        if last is None and ladder is not None:
            with self.store.transaction(read_only=True) as transaction:
                kept = last_of(transaction.ladders.state(name if acts(ladder) else name + SHADOW))
            last = kept.at if kept is not None else None
        every = ladder.every if ladder is not None else _LOOK_EVERY
        if last is None or now < last or now - last >= every - EARLY:
            self._looked[name] = now
            return True
        return False

    def _purge(self, now: datetime, lease: HeldLease | None) -> None:
        if self._purged is not None and now - self._purged < _PURGE_EVERY:
            return
        self._purged = now
        with self.store.transaction(lease=lease) as transaction:
            transaction.ladders.purge(now - KEEP)

    def _stepper(self) -> Stepper:
        return Stepper(
            store=self.store,
            open_store=self.open_store,
            stores=self.stores,
            journeys=self.run_journeys,
            is_killed=self.is_killed,
            wait=self.wait,
            clock=self.clock,
        )


def _ended(step: StepRecord) -> LadderTurn:
    if step.phase is not StepPhase.ENDED:
        return LadderTurn(open=1)
    is_done = step.outcome is StepOutcome.COMMITTED
    return LadderTurn(committed=int(is_done), undone=int(not is_done))


def _log(ladder: Ladder, judged: Judgement) -> None:
    decision = judged.decision
    log.debug(
        "finops.ladder_judged",
        extra={
            "ladder": ladder.name,
            "tier": decision.state.tier,
            "to": decision.move.to_tier if decision.move else decision.state.tier,
            "because": [note.because.value for note in decision.notes],
        },
    )
