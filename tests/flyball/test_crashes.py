"""kill -9 at any moment: what was answered 2xx is stored, told, and queued exactly once."""

import random
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.alerts.notifications import alert, body
from tests.flyball.processes import flyball_up
from tests.flyball.running import BEARER, eventually

CLIENTS = 3


class Sender:
    """Delivers alerts as fast as it can, each again and again until it is answered 2xx, as Alertmanager does."""

    def __init__(self, first: int) -> None:
        self.number = first
        self.answered: list[int] = []
        self.url = ""
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._send)
        self.thread.start()

    def _send(self) -> None:
        with httpx.Client(headers=BEARER, timeout=5) as client:
            while not self.stopping.is_set():
                try:
                    answer = client.post(f"{self.url}/hooks/alertmanager", content=body(alert(self.number)))
                except (httpx.HTTPError, httpx.InvalidURL):
                    self.stopping.wait(0.05)
                    continue
                if answer.is_success:
                    self.answered.append(self.number)
                    self.number += CLIENTS


@contextmanager
def sending() -> Iterator[list[Sender]]:
    senders = [Sender(first) for first in range(1, CLIENTS + 1)]
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stopping.set()
        for sender in senders:
            sender.thread.join()


def campaign(folder: Path, kills: int, seed: int) -> None:
    folder.mkdir()
    chance = random.Random(seed)
    outputs: list[Path] = []
    with sending() as senders:
        for turn in range(kills):
            with flyball_up(folder, name=f"{turn}") as process:
                outputs.append(process.out)
                before = sum(len(sender.answered) for sender in senders)
                for sender in senders:
                    sender.url = process.url
                enough = before + chance.randrange(1, 40)
                eventually(lambda: sum(len(sender.answered) for sender in senders) >= enough)  # noqa: B023
                chance_pause = chance.random() * 0.05
                threading.Event().wait(chance_pause)
                process.kill()
    answered = {number for sender in senders for number in sender.answered}
    assert len(answered) >= kills
    with flyball_up(folder, name="last") as process:
        outputs.append(process.out)
        eventually(lambda: not undelivered(folder), patience_seconds=90)
    assert stored(folder) >= {f"{number:016x}" for number in answered}
    per_alert = messages(folder)
    assert set(per_alert) == stored(folder)
    assert set(per_alert.values()) == {1}
    told = "".join(output.read_text() for output in outputs)
    assert all(f"slo=checkout-{number}\n" in told for number in answered)


def rows(folder: Path, query: str) -> list[tuple[str]]:
    with sqlite3.connect(f"file:{folder}/.flyball/flyball.db?mode=ro", uri=True) as connection:
        return connection.execute(query).fetchall()


def stored(folder: Path) -> set[str]:
    return {row[0] for row in rows(folder, "SELECT fingerprint FROM alerts")}


def messages(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for (key,) in rows(folder, "SELECT key FROM outbox"):
        fingerprint = key.removeprefix("console:")
        found[fingerprint] = found.get(fingerprint, 0) + 1
    return found


def undelivered(folder: Path) -> int:
    return len(rows(folder, "SELECT key FROM outbox WHERE state != 'delivered'"))


def test_nothing_answered_is_lost_when_it_is_killed_again_and_again(tmp_path: Path) -> None:
    campaign(tmp_path / "workspace", kills=2, seed=20260101)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_nothing_answered_is_lost_over_two_hundred_kills(tmp_path: Path, seed: int) -> None:
    campaign(tmp_path / "workspace", kills=50, seed=seed)
