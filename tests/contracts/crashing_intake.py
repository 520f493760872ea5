"""Takes delivery events in, makes facts and sheets of them, until it is killed.

Run as a program it reads a line for each run, `URL WEEK DIE_AT_STEP KILL_AFTER_SECONDS`, as `crashing_meter` does, and
answers with a line: its exit status, and how many batches it had acknowledged.
"""

import itertools
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from controlplane.store import open_store
from exporters.cloudevents.requests import Mode
from exporters.dora.facts.daemon import FactsDaemon
from exporters.dora.measuring.daemon import MeasureDaemon
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events.intake import Intake
from exporters.events.reading import EventReader, Terms
from tests.contracts.crashing_meter import Dying
from tests.exporters.events.sent import sent

START = datetime(2026, 1, 5, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC)
BATCHES = 3
POLICY = DeliveryPolicy()


def week_of(number: int) -> list[list[dict[str, Any]]]:
    """What is sent about a week: the same for the same number. Parts of each batch come twice."""
    chance = random.Random(number)
    found = []
    for part in range(BATCHES):
        events = [_event(number, part, each, chance) for each in range(chance.randrange(2, 12))]
        found.append(events + events[: len(events) // 2])
    return found


def _event(week: int, part: int, each: int, chance: random.Random) -> dict[str, Any]:
    at = START + timedelta(weeks=week, seconds=chance.randrange(7 * 86_400))
    service, name = chance.choice(("checkout", "search")), f"{week}-{part}-{each}"
    time_ = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if chance.random() < 0.3:
        return sent(
            "incident.detected",
            name,
            subject=f"i{name}",
            at=time_,
            content={"environment": {"id": "production"}, "service": {"id": service}},
        )
    return sent("service.deployed", name, subject=service, at=time_, own={"version": name})


def work(store: Any, number: int, acknowledge: Callable[[], object] = lambda: None) -> None:
    """Take a week in and measure it. May be repeated."""
    reader, intake = EventReader(Terms("test")), Intake(store, "test")
    facts, sheets = FactsDaemon(store, lambda: POLICY), MeasureDaemon(store, lambda: POLICY)
    for batch in week_of(number):
        delivery = reader.from_body(json.dumps(batch).encode(), Mode(is_batch=True), {}, NOW)
        intake.take(delivery, NOW)
        acknowledge()
        facts.run_once(NOW)
        sheets.run_once(NOW)


def _run(url: str, number: int, die_at: int, kill_after: float) -> str:
    inward, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(inward)
        try:
            work(Dying(open_store(url), die_at, itertools.count()), number, lambda: os.write(out, b"taken "))
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(out)
    if die_at < 0:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(inward, "rb") as stream:
        acknowledged = stream.read().decode()
    _, status = os.waitpid(child, 0)
    return f"{os.waitstatus_to_exitcode(status)} {acknowledged}"


if __name__ == "__main__":
    for line in sys.stdin:
        url, week, step, seconds = line.split()
        print(_run(url, int(week), int(step), float(seconds)), flush=True)
