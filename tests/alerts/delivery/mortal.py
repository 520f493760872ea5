"""Everything from the receipt of alerts to their delivery, in processes that are killed anywhere.

Run as a program (`mortal.py CONFIGURATION`) it reads a line of JSON for each life: runs to do, or to go on with. It
forks a process that does them and is killed when the counter says so, and answers with lines of JSON: what was
accepted, what was finished, and at last how the process ended. Forking saves the second that imports take.

A run is what becomes of one incident: its alerts are delivered, it escalates, somebody has it, its alerts end, it ends.
"""

import json
import os
import random
import signal
import ssl
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from sqlalchemy import event

from alerts.adapters.pagerduty import PagerDutyNotifier
from alerts.adapters.slack import SlackNotifier, SlackTidying
from alerts.adapters.slack_api import SlackApi
from alerts.delivery.closing import Closing
from alerts.delivery.daemon import LanesDaemon
from alerts.delivery.fallback import Fallbacks
from alerts.delivery.rates import Rates
from alerts.delivery.showing import Showing
from alerts.escalation.daemon import Escalator
from alerts.escalation.model import EscalationPolicy, PolicyStep
from alerts.incidents.daemon import QuietDaemon
from alerts.incidents.desk import Desk
from alerts.incidents.keeping import Keeper
from alerts.incidents.snapshots import IncidentSnapshots
from alerts.intake import Intake
from alerts.model import AlertsDeclared
from alerts.ports import Notifier
from alerts.routing.model import Channel, ChannelKind, Receiver, Route
from controlplane.model.alert import Alert, AlertNotification, AlertStatus
from controlplane.ports import Transaction, Transient
from controlplane.store import SqlStore, open_store
from tests.outside.pagerduty import ROUTING_KEY
from tests.outside.slack import CHANNEL, CHANNEL_ID, TOKEN

ROOT: Final = Path(__file__).resolve().parents[3]
TRACED: Final = tuple(str(ROOT / part) + os.sep for part in ("alerts", "controlplane/store"))
T0: Final = datetime(2026, 12, 1, 3, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
AFTER_A_CRASH: Final = 25 * SECOND  # until somebody takes over
LEAD_KEY, SPARE_KEY = "1" * 32, "2" * 32
PAGER = Channel("pagerduty:SRE", ChannelKind.PAGERDUTY)
LEAD = Channel("pagerduty:LEAD", ChannelKind.PAGERDUTY)
SPARE = Channel("pagerduty:SPARE", ChannelKind.PAGERDUTY)
CHAT = Channel("slack:critical", ChannelKind.SLACK)
KEYS: Final = {PAGER.name: ROUTING_KEY, LEAD.name: LEAD_KEY, SPARE.name: SPARE_KEY}
DECLARED: Final = AlertsDeclared(
    root=Route(
        name="default", receivers=("sre",), group_by=("service",), escalation="p0", resolve_after=2 * MINUTE
    ),
    receivers=(
        Receiver("lead", (LEAD,)),
        Receiver("sre", (PAGER, CHAT), fallback=(SPARE,)),
    ),
    policies=(
        EscalationPolicy(
            "p0",
            (PolicyStep(timedelta(0), ("receiver:sre",)), PolicyStep(5 * MINUTE, ("receiver:lead",))),
            round_length=10 * MINUTE,
        ),
    ),
)  # fmt: skip
PHASES: Final = ("fire", "escalate", "acknowledge", "end", "resolve", "tidy")
ENDS_AFTER: Final = 14 * MINUTE
AT: Final = dict(
    zip(PHASES, (timedelta(0), 10 * MINUTE, 12 * MINUTE, ENDS_AFTER, 20 * MINUTE, 40 * MINUTE), strict=True)
)
_MOST_TURNS: Final = 90


@dataclass(frozen=True)
class Story:
    """What happens in a run, from its seed alone. `silent`: phases in which nobody delivers, as if all were down."""

    number: int
    firing: tuple[tuple[int, ...], ...]  # numbers of alerts, by delivery
    ending: tuple[tuple[int, ...], ...]
    is_acknowledged_early: bool
    silent: frozenset[str]

    @classmethod
    def of(cls, seed: int, number: int) -> "Story":
        chance = random.Random(f"{seed}:{number}")
        alerts = list(range(chance.randint(1, 3)))
        whole = (tuple(alerts),)
        return cls(
            number,
            firing=whole if chance.random() < 0.5 else (*[(each,) for each in alerts], tuple(alerts)),
            ending=whole if chance.random() < 0.5 else tuple((each,) for each in reversed(alerts)),
            is_acknowledged_early=chance.random() < 0.4,
            silent=frozenset(each for each in PHASES[:-2] if chance.random() < 0.55),
        )

    @property
    def told_by(self) -> datetime:
        """When everybody must have been told: at the end of the first phase in which somebody delivered."""
        place = next(place for place, phase in enumerate(PHASES) if phase not in self.silent)
        return self.begins_at + AT[PHASES[place + 1]]

    @property
    def service(self) -> str:
        return f"service-{self.number}"

    @property
    def begins_at(self) -> datetime:
        return T0 + self.number * HOUR

    def alert(self, number: int, *, has_ended: bool = False) -> Alert:
        labels = {"alertname": f"Burns{number}", "severity": "page", "service": self.service}
        return Alert(
            f"{self.number:08x}{number:08x}", self.begins_at, AlertStatus.RESOLVED if has_ended else AlertStatus.FIRING,
            labels, {"summary": f"{self.service} burns"}, self.begins_at + ENDS_AFTER if has_ended else None,
        )  # fmt: skip

    def alerts(self) -> list[Alert]:
        return [self.alert(each) for each in sorted({each for group in self.firing for each in group})]

    def deliveries(self, phase: str) -> list[AlertNotification]:
        """What Alertmanager sends in a phase."""
        groups = {"fire": self.firing, "end": self.ending}.get(phase, ())
        status = AlertStatus.FIRING if phase == "fire" else AlertStatus.RESOLVED
        return [
            AlertNotification(
                "g", "default", status, tuple(self.alert(each, has_ended=phase == "end") for each in group)
            )
            for group in groups
        ]


def knows_id(number: int) -> bool:
    """Whether Slack's channel is declared by its id in a run: else a new process must learn where that is."""
    return number % 2 == 1


@dataclass
class Reaper:
    """Counts what is about to happen and kills the process when it is its turn. Threads count together."""

    die_at: int = 0  # 0: never
    counts: str = ""  # `sql`: statements and commits of the database; `line`: Python's, of ours
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _ours: dict[CodeType, bool] = field(default_factory=dict)

    def start(self, counts: str, die_at: int) -> None:
        self.counts, self.die_at, self.count = counts, die_at, 0
        trace = self._trace if counts == "line" else None
        threading.settrace(trace)  # type: ignore[arg-type]
        sys.settrace(trace)

    def listen(self, store: SqlStore) -> None:
        """Every statement, and before and after every commit."""
        event.listen(store._engine, "before_cursor_execute", lambda *_: self.sql())
        event.listen(store._engine, "commit", lambda _: self.sql())

    def sql(self) -> None:
        if self.counts == "sql":
            self._pass()

    def _pass(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def _trace(self, frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        is_ours = self._ours.get(code)
        if is_ours is None:
            is_ours = self._ours[code] = code.co_filename.startswith(TRACED)
        return self._line if is_ours else None

    def _line(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            self._pass()
        return self._line


class Life:
    """One process: all that delivers, joined anew. It knows nothing but what the store and the world outside hold."""

    def __init__(self, world: "World", now: datetime, seed: int) -> None:
        self.world, self.store, self.now = world, world.store, now
        self.slack_channel = CHANNEL_ID if knows_id(seed) else CHANNEL
        declared = lambda: DECLARED  # noqa: E731
        self.intake = Intake(self.store, Keeper(declared, read_time=self._time))
        ids = random.Random(seed)
        self.desk = Desk(self.store, declared, lambda: f"{ids.getrandbits(64):x}", read_time=self._time)
        self.escalator = Escalator(self.store, declared, read_time=self._time)
        self.quiet = QuietDaemon(self.store, declared, read_time=self._time)
        self.fallbacks, self.closing = Fallbacks(self.store, declared), Closing(self.store, declared)
        snapshots = IncidentSnapshots(self.store, declared, "https://flyball.example", read_time=lambda _: self.now)
        rates = Rates(self.clock)
        self.showing = Showing(self.store, snapshots, now=self.clock)
        self.slack = SlackApi(lambda: TOKEN, rates.of(CHAT), now=self.clock, url=world.slack_url)
        self.lanes = LanesDaemon(
            self.store, declared, lambda channel: self._notifier(channel, rates), rates, now=self.clock,
            random=random.Random(seed).random, patience_seconds=None,
        )  # fmt: skip
        self.tidying = SlackTidying(self.store, lambda _: self.slack)

    def clock(self) -> datetime:
        return self.now

    def _time(self, _transaction: Transaction, _now: datetime) -> datetime:
        return self.now

    def _notifier(self, channel: Channel, rates: Rates) -> Notifier:
        if channel == CHAT:
            return SlackNotifier(channel.name, self.slack_channel, self.slack, self.showing, with_buttons=True)
        return PagerDutyNotifier(
            channel.name, lambda: KEYS[channel.name], self.showing, rates.of(channel), now=self.clock,
            url=self.world.pagerduty_url, tls=self.world.tls,
        )  # fmt: skip

    def go_on(self, story: Story, phase: str, accepted: int, say: Callable[..., None]) -> None:
        """From that phase, of whose deliveries so many were accepted before, to the end."""
        for name in PHASES[PHASES.index(phase) :]:
            self.now = max(self.now, story.begins_at + AT[name])
            self.world.set_clock(self.now)
            for place, delivery in enumerate(story.deliveries(name)):
                if name != phase or place >= accepted:
                    self.intake.receive(delivery, self.now)
                    self.world.reaper.sql()
                    say("accepted", story.number, place + 1)
            self._act(story, name)
            if name not in story.silent:
                self._deliver(patient=name == PHASES[-1])
            say("passed", story.number, name)

    def _act(self, story: Story, phase: str) -> None:
        if phase in ("fire", "escalate"):
            self.escalator.run_once(self.now)
        if phase == ("fire" if story.is_acknowledged_early else "acknowledge"):
            self.desk.acknowledge(self._incident(story), by="ann", via="cli", now=self.now)
        if phase == "resolve":
            self.quiet.run_once(self.now)
        if phase in ("resolve", "tidy"):
            self.closing.run_once(self.now)

    def _incident(self, story: Story) -> str:
        first = story.alert(0)
        with self.store.transaction(read_only=True) as transaction:
            incident = transaction.incidents.incident_of(first.fingerprint, first.starts_at)
        assert incident is not None, "what was accepted is an incident"
        return incident

    def _deliver(self, *, patient: bool) -> None:
        for _ in range(_MOST_TURNS):
            self.lanes.run_once(self.now)
            self.fallbacks.run_once(self.now)
            if not self._backlog():
                break
            self.now += SECOND
        while patient:
            with suppress(Transient):  # the scheduler counts it and comes back in a minute
                self.tidying.run_once(self.now)
                return
            self.now += MINUTE

    def _backlog(self) -> int:
        with self.store.transaction(read_only=True) as transaction:
            return transaction.outbox.backlog()


@dataclass
class World:
    """What outlives processes, and what they count by."""

    store: SqlStore
    pagerduty_url: str
    slack_url: str
    seed: int
    reaper: Reaper = field(default_factory=Reaper)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def set_clock(self, now: datetime) -> None:
        """Slack's messages are named by the time."""
        urllib.request.urlopen(f"{self.slack_url}clock", str(int(now.timestamp())).encode()).close()

    def live(self, runs: list[list[Any]], say: Callable[..., None]) -> None:
        """Runs after one another: number, phase, deliveries accepted in it, time, what counts, when it dies."""
        for number, phase, accepted, at, counts, die_at in runs:
            life = Life(self, datetime.fromisoformat(at), number)
            self.reaper.start(counts, die_at)
            life.go_on(Story.of(self.seed, number), phase, accepted, say)
            count = self.reaper.count
            self.reaper.start("", 0)
            say("done", number, count)
            life.lanes.close()


def main(configuration: str) -> None:
    """Do lives until there is nothing more to read."""
    given = json.loads(configuration)
    world = World(open_store(given["database"]), given["pagerduty"], given["slack"], given["seed"])
    world.reaper.listen(world.store)
    for line in _lines():
        runs = json.loads(line)
        if runs == "warm up":  # what is compiled once need not be compiled in each process
            world.live([[0, PHASES[0], 0, T0.isoformat(), "sql", 0]], _say)
            world.store.close()
            while threading.active_count() > 1:  # only this one would live on in a fork, and locks of others with it
                time.sleep(0.01)
            _say("ended", 0)
            continue
        process = os.fork()
        if process == 0:
            world.live(runs, _say)
            os._exit(0)
        _say("born", process)
        _say("ended", os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def _lines() -> Iterator[str]:
    while line := sys.stdin.readline():
        yield line


def _say(*words: Any) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
