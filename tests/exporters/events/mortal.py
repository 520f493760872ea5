"""Takes delivery events in and makes facts and sheets of them, until it is killed.

Run as a program it reads a line of JSON for each life (`Life`), lives it in a process of its own, and answers with a
line: how it ended, and how many batches it had acknowledged. (Forking saves the second that imports take.) Every
statement of the database, every commit and what follows it is a step; at its turn the process kills itself, as the
kernel would: without a word. A negative turn leaves that to `kill_after` seconds.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import event

from controlplane.store import SqlStore, open_store
from exporters.cloudevents.requests import Mode
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events.intake import Intake
from exporters.events.reading import EventReader, Terms
from tests.exporters.events.sent import NOW, body, sent

BATCHES: Final = 4
POLICY: Final = DeliveryPolicy()
_READER: Final = EventReader(Terms("mortal"))
_FOLDED_AT_ONCE: Final = 5  # events: several transactions to die between
_MEASURED_AT_ONCE: Final = 2
_MOST_TURNS: Final = 200


@dataclass(frozen=True, slots=True)
class Life:
    """One attempt at a run, from the first batch that nobody acknowledged on."""

    url: str
    run: int
    first: int
    die_at: int
    kill_after: float


@dataclass(frozen=True, slots=True)
class Run:
    """What a sender has to tell. `batches` are lists of events."""

    number: int
    batches: tuple[tuple[dict[str, Any], ...], ...]

    @property
    def service(self) -> str:
        """Nobody else's."""
        return f"shop-{self.number}"

    @property
    def source(self) -> str:
        """Likewise."""
        return f"/ci/{self.number}"

    def names(self, batch: int) -> set[str]:
        """The ids of its events."""
        return {each["id"] for each in self.batches[batch]}


def run_of(number: int) -> Run:
    """The same run for the same number: changes, their deployments, a rollback and an incident, in any order."""
    chance = random.Random(number)
    source, repository = f"/ci/{number}", f"git.example/shop-{number}"
    start = NOW - timedelta(days=1 + chance.randrange(60), hours=chance.randrange(24))
    events = []

    def tell(kind: str, at: datetime, subject: str, content: dict[str, Any], own: dict[str, Any]) -> None:
        text = at.astimezone(UTC).isoformat()
        events.append(
            sent(kind, len(events), subject=subject, at=text, content=content, own=own, source=source)
        )  # fmt: skip

    count = chance.randint(3, 9)
    where = {"environment": {"id": "production"}}
    for turn in range(count):
        at = start + turn * timedelta(hours=7)
        revision = f"{chance.getrandbits(160):040x}"
        own = {"revision": revision, "firstCommitAt": (at - timedelta(hours=chance.randrange(9, 90))).isoformat()}
        tell("change.merged", at, str(turn), {"repository": {"id": repository}}, own)
        artifact = {"artifactId": f"pkg:generic/shop-{number}@{turn}"}
        own = {"repository": repository, "revision": revision, "version": f"v{turn}"}
        tell("service.deployed", at + timedelta(hours=1), f"shop-{number}", where | artifact, own)
    end = start + count * timedelta(hours=7)
    about = where | {"service": {"id": f"shop-{number}"}}
    tell("incident.detected", end - timedelta(hours=5), "burns", about, {})
    tell("incident.resolved", end - timedelta(hours=3), "burns", about, {})
    own = {"undoes": f"v{count - 1}", "version": f"v{count - 2}"}
    back = where | {"artifactId": f"pkg:generic/shop-{number}@{count - 2}"}
    tell("service.rolledback", end - timedelta(hours=4), f"shop-{number}", back, own)
    chance.shuffle(events)
    batches = [events[first::BATCHES] for first in range(BATCHES)]
    repeated = [[*batch, *chance.sample(events, 2)] for batch in batches]  # whoever sends twice sends anything twice
    return Run(number, tuple(map(tuple, repeated)))


def live(store: SqlStore, run: Run, first: int = 0, acknowledge: Callable[[], None] = lambda: None) -> None:
    """Send the batches from the first on; whatever a batch brings is folded and measured before the next one comes.

    So the counters too are those of an undisturbed run, whenever one dies: they remember what once was so.
    """
    work_off(store)
    intake = Intake(store, "mortal")
    for batch in run.batches[first:]:
        taken = intake.take(_READER.from_body(body(*batch), Mode(is_batch=True), {}, NOW), NOW)
        assert not taken.is_refused, taken.delivery.faults
        acknowledge()
        work_off(store)


def work_off(store: SqlStore) -> None:
    """Make facts of all events, then measure every day that is stale."""
    facts = FactsDaemon(store, lambda: POLICY, batch=_FOLDED_AT_ONCE)
    sheets = MeasureDaemon(store, lambda: POLICY, batch=_MEASURED_AT_ONCE)
    for _ in range(_MOST_TURNS):
        if not facts.run_once(NOW).batches:
            break
    for _ in range(_MOST_TURNS):
        if sheets.run_once(NOW).is_done:
            return
    raise AssertionError("it is never done")


class _Reaper:
    """Kills the process when so many steps were done."""

    def __init__(self, store: SqlStore, die_at: int) -> None:
        self._left = die_at
        event.listen(store._engine, "before_cursor_execute", self._step)
        event.listen(store._engine, "commit", self._step)

    def _step(self, *_: object) -> None:
        self.step()

    def step(self) -> None:
        """Another one."""
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def _child(life: Life, out: int) -> None:
    store = open_store(life.url)
    reaper = _Reaper(store, life.die_at)

    def acknowledge() -> None:
        reaper.step()  # committed, and nobody was told
        os.write(out, b".")

    live(store, run_of(life.run), life.first, acknowledge)
    store.close()


def _lived(life: Life) -> str:
    inward, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inward)
        try:
            _child(life, out)
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(out)
    if life.die_at < 0:
        time.sleep(life.kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(inward, "rb") as stream:
        acknowledged = len(stream.read())
    _, status = os.waitpid(child, 0)
    return f"{os.waitstatus_to_exitcode(status)} {acknowledged}"


def line_of(life: Life) -> str:
    """As the program reads it."""
    return json.dumps(asdict(life)) + "\n"


if __name__ == "__main__":
    for line in sys.stdin:
        print(_lived(Life(**json.loads(line))), flush=True)
