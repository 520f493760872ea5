"""Kills what receives and delivers alerts, again and again, and looks at what became of every page."""

import json
import math
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from alerts.pagerduty.event import dedup_key
from controlplane.model.incident import Incident
from controlplane.model.outbox import LEAST_URGENT
from controlplane.ports import Transaction
from controlplane.store import SqlStore
from tests.alerts.delivery.mortal import (
    AFTER_A_CRASH,
    CHAT,
    HOUR,
    LEAD,
    LEAD_KEY,
    PAGER,
    PHASES,
    SPARE,
    SPARE_KEY,
    Story,
)
from tests.outside.failing import Answered, Asked, FailingServer, Failure
from tests.outside.pagerduty import ROUTING_KEY, PagerDutyServer
from tests.outside.slack import SlackServer

ROOT: Final = Path(__file__).resolve().parents[3]
DEATHS: Final = ("sql", "line", "request", "post")  # what is counted until somebody dies
_TURNS: Final = ("sql", "line", "post", "request", *("sql",) * 4, "post", *("sql",) * 7)
TWICE: Final = 0.2  # of those who go on die as well
_FAILURES: Final = (Failure.LOST_ANSWER, Failure.RESET, Failure.SERVER_ERROR, Failure.TOO_MANY)
_TELL_EVERY: Final = 50
_REQUESTS: Final = 14  # of a run, about
_POSTS: Final = 3  # messages and replies in Slack; before the answer to one arrives is the worst moment of all


class Deadly(FailingServer):
    """Kills who asks it, at a certain request: before it does anything, or before it answers."""

    def __init__(self, death: "Death", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._death = death

    def taken(self, asked: Asked) -> tuple[Failure | None, Answered | None]:
        if asked.path.endswith("/clock"):
            return None, self.answer(asked)
        if len(asked.body) < int(asked.headers.get("content-length", 0)):
            return Failure.RESET, None  # it died while it was saying it
        with self.lock:
            is_post = asked.path.endswith("/chat.postMessage")
            if self._death.comes_before(is_post=is_post):
                return Failure.RESET, None
            taken = super().taken(asked)
            return (Failure.LOST_ANSWER, None) if self._death.comes_after(is_post=is_post) else taken


class DeadlyPagerDuty(Deadly, PagerDutyServer):
    """PagerDuty. `early` are keys of events that came before the trigger of their page, `opened` when pages came."""

    def __init__(self, death: "Death", clock: Callable[[], int], **arguments: Any) -> None:
        super().__init__(death, **arguments)
        self.early: list[str] = []
        self.opened: dict[str, int] = {}
        self._clock = clock

    def _take(self, key: str, event: dict[str, Any]) -> None:
        if event["event_action"] != "trigger" and self.page(key) is None:
            self.early.append(key)
        self.opened.setdefault(key, self._clock())
        super()._take(key, event)


class DeadlySlack(Deadly, SlackServer):
    """Slack; its clock is ours."""

    def answer(self, asked: Asked) -> Answered:
        if asked.path.endswith("/clock"):
            self.at(int(asked.body))
            return Answered(200)
        return super().answer(asked)


@dataclass
class Death:
    """Which request is somebody's last, counted over all servers, or posts only: before it is done or after."""

    victim: int = 0
    at: int = 0
    posts_only: bool = False
    before: bool = False
    count: int = 0

    def comes_before(self, *, is_post: bool) -> bool:
        self.count += is_post or not self.posts_only
        return self.before and self._comes(is_post)

    def comes_after(self, *, is_post: bool) -> bool:
        return not self.before and self._comes(is_post)

    def _comes(self, is_post: bool) -> bool:
        if self.victim and self.count == self.at and (is_post or not self.posts_only):
            os.kill(self.victim, signal.SIGKILL)
            return True
        return False


@dataclass
class Run:
    """A run that is not done; `accepted` deliveries of the phase got their 2xx."""

    number: int
    counts: str
    die_at: int
    now: datetime
    phase: str = PHASES[0]
    accepted: int = 0
    deaths: int = 0

    @property
    def is_whole(self) -> bool:
        """Nobody has died in it so far."""
        return not self.deaths

    def order(self) -> list[Any]:
        in_process = self.counts if self.counts in ("sql", "line") else ""
        return [self.number, self.phase, self.accepted, self.now.isoformat(), in_process, self.die_at]


@dataclass
class Campaign:
    """Runs on one database, each of which is killed once or twice somewhere."""

    store: SqlStore
    url: str
    seed: int
    figures: Counter[str] = field(default_factory=Counter)
    died_in: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, int] = field(default_factory=dict)  # statements of an undisturbed run

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.death = Death()
        self.slack = DeadlySlack(self.death)
        keys = (ROUTING_KEY, LEAD_KEY, SPARE_KEY)
        self.pagerduty = DeadlyPagerDuty(self.death, lambda: self.slack.epoch, keys=keys)
        self.slack.retry_after = self.pagerduty.retry_after = 1

    def go(self, runs: int) -> None:
        """That many runs, after one that nobody disturbs. All is well in each of them."""
        with self.pagerduty, self.slack, self._mortals() as process:
            self._measure(process)
            left: list[Run] = []
            for number in range(1, runs + 1):
                left.append(self._run(number))
                self._live(process, left)
            while left:
                self._live(process, left)

    @contextmanager
    def _mortals(self) -> Iterator["subprocess.Popen[str]"]:
        given = {
            "database": self.url, "pagerduty": self.pagerduty.url, "slack": self.slack.base_url, "seed": self.seed,
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, ROOT / "tests/alerts/delivery/mortal.py", json.dumps(given)], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        with process:
            yield process
            process.communicate()
        assert process.returncode == 0

    def _measure(self, process: "subprocess.Popen[str]") -> None:
        for answer in _asked(process, "warm up"):
            if answer[0] == "done":
                self.lengths["sql"] = answer[2]
        self._check(Story.of(self.seed, 0))
        assert self.lengths["sql"] > 0
        self.lengths["line"] = 60 * self.lengths["sql"]  # about; who lives longer lives
        self.lengths |= {"request": _REQUESTS, "post": _POSTS}

    def _run(self, number: int) -> Run:
        counts = _TURNS[number % len(_TURNS)]
        length = self.lengths[counts]
        die_at = self.chance.randint(1, length)
        if counts == "sql":  # the database's in turn, so that each is somebody's last; of the many others some
            self.figures["sql"] += 1
            die_at = 1 + self.figures["sql"] * _stride(length) % length
        return Run(number, counts, die_at, Story.of(self.seed, number).begins_at)

    def _live(self, process: "subprocess.Popen[str]", left: list[Run]) -> None:
        """One process: it does what is left until it dies."""
        self._disturb(left[-1])
        orders = [run.order() for run in left]
        for answer in _asked(process, orders):
            match answer:
                case ["born", victim]:
                    self._await(left[0], victim)
                case ["accepted", number, count]:
                    assert left[0].number == number
                    left[0].accepted = count
                case ["passed", _, phase]:
                    left[0].phase, left[0].accepted = _after(phase), 0
                case ["done", number, count]:
                    self._done(left.pop(0), count)
                    self._await(left[0], self.death.victim) if left else None
                case ["ended", status]:
                    self._ended(status, left)

    def _await(self, run: Run, victim: int) -> None:
        comes = run.counts in ("request", "post")
        self.death.victim, self.death.at, self.death.count = victim, run.die_at if comes else 0, 0
        self.death.posts_only = run.counts == "post"
        self.death.before = run.counts == "request" and self.chance.random() < 0.5

    def _done(self, run: Run, count: int) -> None:
        self.figures["lived"] += run.is_whole
        self._check(Story.of(self.seed, run.number))
        self.figures["runs"] += 1
        if self.figures["runs"] % _TELL_EVERY == 0:
            print(dict(self.figures), dict(self.died_in), self.lengths, flush=True)
        if run.counts == "line" and run.is_whole:
            self.lengths["line"] = count

    def _ended(self, status: int, left: list[Run]) -> None:
        self.death.victim = 0
        assert status in (0, -signal.SIGKILL), f"the process ended with {status}: see what it says on stderr"
        assert bool(left) is (status != 0)
        if not left:
            return
        run = left[0]
        self.figures["killed"] += 1
        self.figures[f"killed by {run.counts}"] += 1
        self.died_in[run.phase] += 1
        run.now = max(run.now, Story.of(self.seed, run.number).begins_at) + AFTER_A_CRASH
        run.counts, run.die_at = "", 0
        run.deaths += 1
        if self.chance.random() < TWICE:
            run.counts = self.chance.choice(DEATHS)
            run.die_at = self.chance.randint(1, max(1, self.lengths[run.counts] // 3))

    def _disturb(self, run: Run) -> None:
        """Providers fail now and then besides."""
        for server in (self.pagerduty, self.slack):
            server.recover()
            if run.number % 4 == 0:
                server.fail(self.chance.choice(_FAILURES), only=lambda asked: not asked.path.endswith("/clock"))

    def _check(self, story: Story) -> None:
        with self.store.transaction(read_only=True) as transaction:
            incident = _incident(transaction, story)
            _check_store(transaction, story, incident)
            lead_told = transaction.telling.object_of(incident.id, LEAD.name) is not None
            spare_told = transaction.telling.object_of(incident.id, SPARE.name) is not None
        assert lead_told is not story.is_acknowledged_early, "exactly the steps that were due"
        self._check_pages(incident, {PAGER.name: True, LEAD.name: lead_told, SPARE.name: spare_told})
        assert self.pagerduty.opened[dedup_key(incident, PAGER.name)] < story.told_by.timestamp(), "while it mattered"
        self._check_slack(story, incident)
        self.figures["pages by another way"] += spare_told

    def _check_pages(self, incident: Incident, told: dict[str, bool]) -> None:
        for channel, is_told in told.items():
            pages = self.pagerduty.of_key(dedup_key(incident, channel))
            assert [page.status for page in pages] == (["resolved"] if is_told else []), (incident.id, channel)
        assert self.pagerduty.early == []
        assert self.pagerduty.refused == [], self.pagerduty.refused
        self.figures["pages"] += sum(told.values())
        self.figures["ends told again, and ignored"] = len(self.pagerduty.stray)

    def _check_slack(self, story: Story, incident: Incident) -> None:
        own = [each for each in self.slack.top() if each.metadata["event_payload"]["incident"] == incident.id]
        assert len(own) == 1, f"{len(own)} messages about {incident.id}"
        assert "Resolved" in json.dumps(own[0].blocks)
        removed = [each for each in self.slack.deleted if not each.thread_ts]
        twins = [each for each in removed if each.metadata["event_payload"]["incident"] == incident.id]
        assert len(twins) <= 1, f"{len(twins)} messages too many about {incident.id}"
        first = min((*own, *twins), key=lambda each: each.ts)
        assert float(first.ts) < story.told_by.timestamp(), "while it mattered"
        self.figures["Slack messages twice, and removed"] += len(twins)
        self.slack.messages = [each for each in self.slack.messages if each not in own and each.thread_ts != own[0].ts]
        self.slack.deleted = []


def _asked(process: "subprocess.Popen[str]", order: Any) -> Iterator[list[Any]]:
    """What is answered, up to the end of the process that was born for it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()
    while True:
        line = process.stdout.readline()
        assert line, "the mother of all processes is gone: see what it says on stderr"
        answer = json.loads(line)
        yield answer
        if answer[0] == "ended":
            return


def _stride(length: int) -> int:
    """Multiples of it, modulo `length`, come by every number, and spread from the beginning."""
    return next(each for each in range(int(length * 0.618), length) if math.gcd(each, length) == 1)


def _after(phase: str) -> str:
    return PHASES[min(PHASES.index(phase) + 1, len(PHASES) - 1)]


def _incident(transaction: Transaction, story: Story) -> Incident:
    """The one and only one of a run: all of its alerts belong to it."""
    owners = transaction.incidents.incidents_of([alert.key for alert in story.alerts()])
    assert set(owners) == {alert.key for alert in story.alerts()}
    assert len(set(owners.values())) == 1
    found = transaction.incidents.incident(next(iter(owners.values())))
    assert found is not None
    assert [each.id for each in transaction.incidents.of_key(found.key)] == [found.id]
    return found


def _check_store(transaction: Transaction, story: Story, incident: Incident) -> None:
    assert not incident.is_open
    assert incident.acknowledged_by == "ann"
    assert transaction.incidents.count_alerts(incident.id) == (len(story.alerts()), 0)
    assert transaction.outbox.backlog() == 0
    assert transaction.outbox.dead_letters() == 0
    assert transaction.outbox.overdue(story.begins_at + HOUR, LEAST_URGENT) == []
    objects = transaction.telling.objects_of(incident.id)
    assert {each.channel for each in objects} >= {PAGER.name, CHAT.name}
    for each in objects:
        assert each.closed_at is not None, each
        assert each.told_version == incident.version, each
    assert transaction.telling.left_open() == []
    steps = transaction.incidents.steps_of(incident.id)
    assert [(step.fired_at is None, step.cancelled_at is None) for step in steps] == (
        [(False, True), (True, False)] if story.is_acknowledged_early else [(False, True), (False, True)]
    )
    assert transaction.audit.verify() is None
