"""Escalation against a model of it: whatever happens in whatever order, exactly the steps that are due are told."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from alerts.escalation.model import EscalationPolicy
from controlplane.incident_names import EVENT_INCIDENT_ESCALATED
from controlplane.model.incident import IncidentState, Priority, TimelineKind
from controlplane.ports import HeldLease, Store, Transaction
from tests.alerts.escalation.bench import MINUTE, P0, SECOND, TWICE, Bench
from tests.alerts.kept_store import NOW, kept_store

POLICIES = {"p0": P0, "twice": TWICE}
RANKS = st.sampled_from((Priority.P0, Priority.P3))
LAPSES_EVERY = timedelta(seconds=15)
FIRST_OF_NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


class Killed(Exception):
    """The process is gone."""


class Killing:
    """A store that kills whoever writes: before what was written is committed, or right afterwards."""

    def __init__(self, store: Store, turn: int, *, is_late: bool) -> None:
        self.leases = store.leases
        self._store = store
        self._left = turn
        self._is_late = is_late

    @contextmanager
    def transaction(self, *, lease: HeldLease | None = None, read_only: bool = False) -> Iterator[Transaction]:
        self._left -= not read_only
        is_now = self._left == 0 and not read_only
        with self._store.transaction(lease=lease, read_only=read_only) as transaction:
            yield transaction
            if is_now and not self._is_late:
                raise Killed
        if is_now:
            raise Killed

    def ping(self) -> None:
        self._store.ping()


@dataclass
class Step:
    """What should become of a step."""

    round: int
    number: int
    due_at: datetime
    fired_at: datetime | None = None
    told: tuple[str, ...] = ()
    is_off: bool = False

    @property
    def waits(self) -> bool:
        return self.fired_at is None and not self.is_off


@dataclass
class Known:
    """What should be so of an incident."""

    policy: EscalationPolicy
    priority: Priority
    steps: list[Step]
    is_open: bool = True  # and nobody has it
    is_over: bool = False
    quiet_from: datetime | None = None
    receivers: list[str] = field(default_factory=list)


def planned(policy: EscalationPolicy, at: datetime, first: int) -> list[Step]:
    return [
        Step(first + number, index, at + number * policy.round_length + step.after)
        for number in range(policy.rounds)
        for index, step in enumerate(policy.steps)
    ]


def who(target: str, priority: Priority, at: datetime) -> str:
    """Said once more, in other words."""
    match target:
        case "schedule:sre":
            return ("ann", "ben")[(at - FIRST_OF_NOVEMBER).days % 2]
        case "schedule:night":
            return "ben" if NOW + 5 * MINUTE <= at < NOW + 6 * MINUTE else ""
        case "receiver:gone":
            return ""
        case "receiver:critical":
            return "critical" if priority.is_critical else ""
    return target.removeprefix("receiver:")


class Escalations(RuleBasedStateMachine):
    """Incidents of two policies, time that passes, people who answer, and processes that die."""

    incidents = Bundle("incidents")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.opened = kept_store(Path(self.folder.name))
        self.bench = Bench(self.opened.__enter__())
        self.known: dict[str, Known] = {}
        self.looked_at: datetime | None = None  # for acknowledgements that lapse
        self.heard: set[tuple[str, str]] = set()  # incident and receiver

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.opened.__exit__(None, None, None)
            self.folder.cleanup()

    @property
    def now(self) -> datetime:
        return self.bench.clock.now()

    @rule(
        target=incidents, policy=st.sampled_from(sorted(POLICIES)), priority=st.sampled_from((Priority.P0, Priority.P3))
    )
    def something_breaks(self, policy: str, priority: Priority) -> str:
        id_ = self.bench.open(policy, priority).id
        self.known[id_] = Known(POLICIES[policy], priority, planned(POLICIES[policy], self.now, 0))
        return id_

    @rule(seconds=st.one_of(st.integers(1, 59), st.sampled_from((60, 180, 300, 360, 900, 1200, 22 * 3600))))
    def time_passes(self, seconds: int) -> None:
        self.bench.clock.pass_(seconds * SECOND)

    @rule(incident=incidents)
    def somebody_acknowledges(self, incident: str) -> None:
        self.bench.desk.acknowledge(incident, by="zoe", via="cli", now=self.now)
        known = self.known[incident]
        if known.is_open:
            known.is_open, known.quiet_from = False, self.now
            self._call_off(known)

    @rule(incident=incidents)
    def somebody_notes_something(self, incident: str) -> None:
        self.bench.desk.note(incident, text="looking", by="zoe", via="cli", now=self.now)
        if self.known[incident].quiet_from is not None:
            self.known[incident].quiet_from = self.now

    @rule(incident=incidents)
    def somebody_resolves(self, incident: str) -> None:
        self.bench.desk.resolve(incident, by="zoe", via="cli", why="", now=self.now)
        known = self.known[incident]
        if not known.is_over:
            known.is_open, known.is_over, known.quiet_from = False, True, None
            self._call_off(known)

    @rule(is_restarted=st.booleans())
    def it_runs(self, is_restarted: bool) -> None:
        if is_restarted:
            self.bench.restarted(self.bench.store)
            self.looked_at = None
        self.bench.run()
        self.bench.run()  # a second time there is nothing left but what begins again at once
        self._expect_a_run()
        self._expect_a_run()

    @rule(turn=st.integers(1, 2), is_late=st.booleans())
    def it_is_killed_while_it_runs(self, turn: int, is_late: bool) -> None:
        self.bench.restarted(Killing(self.bench.store, turn, is_late=is_late))
        with suppress(Killed):
            self.bench.run()
        self.it_runs(is_restarted=True)

    def _expect_a_run(self) -> None:
        for known in self.known.values():
            if known.is_open:
                self._expect_fired(known)
        if self.looked_at is not None and self.now - self.looked_at < LAPSES_EVERY:
            return
        self.looked_at = self.now
        for known in self.known.values():
            lasts = known.policy.acknowledged_for
            if known.quiet_from is not None and lasts is not None and known.quiet_from + lasts <= self.now:
                known.is_open, known.quiet_from = True, None
                known.steps += planned(known.policy, self.now, max(step.round for step in known.steps) + 1)

    def _expect_fired(self, known: Known) -> None:
        reached = True
        for step in known.steps:
            if step.waits and (step.due_at <= self.now or not reached):
                targets = known.policy.steps[step.number].targets
                found = (who(target, known.priority, self.now) for target in targets)
                step.fired_at, step.told = self.now, tuple(name for name in found if name)
                known.receivers += [name for name in step.told if name not in known.receivers]
                reached = bool(step.told)
            elif step.waits:
                break

    def _call_off(self, known: Known) -> None:
        for step in known.steps:
            step.is_off = step.is_off or step.fired_at is None

    @invariant()
    def every_step_is_as_it_should_be(self) -> None:
        for id_, known in self.known.items():
            found = self.bench.steps(id_)
            assert [
                Step(each.round, each.step, each.due_at, each.fired_at, each.told, each.cancelled_at is not None)
                for each in found
            ] == known.steps

    @invariant()
    def every_incident_is_as_it_should_be(self) -> None:
        for id_, known in self.known.items():
            found = self.bench.incident(id_)
            assert (found.state is IncidentState.OPEN) == known.is_open
            assert (found.state is IncidentState.RESOLVED) == known.is_over
            assert list(found.receivers) == known.receivers

    @invariant()
    def what_fired_is_told_once(self) -> None:
        with self.bench.store.transaction(read_only=True) as transaction:
            events = transaction.events.after(0, 10_000, (EVENT_INCIDENT_ESCALATED,))
        told = sorted((each.event.subject, each.event.data["round"], each.event.data["step"]) for each in events)
        assert told == sorted(
            (id_, step.round, step.number) for id_, known in self.known.items() for step in known.steps if step.fired_at
        )
        for id_, known in self.known.items():
            lines = [each for each in self.bench.timeline(id_) if each.kind is TimelineKind.ESCALATED]
            fired = [step for step in known.steps if step.fired_at]
            assert len([each for each in lines if each.id.startswith("escalated:")]) == len(fired)

    @invariant()
    def those_who_were_told_have_heard_of_it(self) -> None:
        if not self.known:
            return
        with self.bench.store.transaction() as transaction:
            for each in transaction.outbox.claim(10_000, self.now):
                transaction.outbox.delivered(each.message.id, self.now)
                self.heard.add((each.message.key, each.message.channel.removeprefix("email:")))
        assert self.heard == {(id_, name) for id_, known in self.known.items() for name in known.receivers}


TestEscalations = Escalations.TestCase
TestEscalations.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)


@pytest.mark.soak
class TestManyEscalations(Escalations.TestCase):
    """The same for long."""

    settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
