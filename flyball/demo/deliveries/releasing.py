"""The platform's pipeline while the demo runs: everyday releases, the bad one when it goes out, and its way back.

Flyball being away for a while keeps nothing from being told: it is sent again until it is taken.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from controlplane.ports import Clock, Transient
from flyball.demo.deliveries import telling
from flyball.demo.deliveries.routine import Routine
from flyball.demo.deliveries.telling import CDEvent, Fields

FAULT: Final = "release"
SERVICE: Final = "graphql-gateway"
VERSION: Final = "2.17.0"
_BEFORE: Final = "2.16.1"
_FIRST_NUMBER: Final = 1300
_POLL_SECONDS: Final = 1.0
log = logging.getLogger(__name__)

Send = Callable[[list[CDEvent]], object]


class Pipeline:
    """Compares what it told with what is so: `since` is when the bad release went out, None while it is not out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._told: datetime | None = None
        self._releases = 0

    def look(self, since: datetime | None, now: datetime) -> None:
        """Tell what has changed. Raises `Transient` when that did not arrive: then the next look tells it."""
        if since is not None and self._told is None:
            self._send(self._released(since))
            self._told, self._releases = since, self._releases + 1
        elif since is None and self._told is not None:
            self._send([self._rolled_back(now)])
            self._told = None

    def _released(self, at: datetime) -> list[CDEvent]:
        number = _FIRST_NUMBER + self._releases
        merged = at - timedelta(minutes=25)
        change: Fields = {
            "revision": f"{number:07x}" + "b" * 33,
            "firstCommitAt": _text(at - timedelta(hours=7)),
            "openedAt": _text(at - timedelta(hours=2)),
            "services": [SERVICE],
            "title": f"{SERVICE}: Answer from the new cache",
            "url": f"https://{telling.REPOSITORY}/pull/{number}",
        }
        release: Fields = {
            "version": VERSION,
            "repository": telling.REPOSITORY,
            "startedAt": _text(at - timedelta(minutes=4)),
            "changes": [telling.change_id(number)],
            "url": f"https://{telling.REPOSITORY}/releases/{SERVICE}-{VERSION}",
        }
        return [telling.merged(number, merged, change), telling.deployed(SERVICE, at, release)]

    def _rolled_back(self, at: datetime) -> CDEvent:
        own: Fields = {"version": _BEFORE, "repository": telling.REPOSITORY, "undoes": VERSION}
        return telling.deployed(SERVICE, at, own, what="rolledback")


@contextmanager
def releasing(
    pipeline: Pipeline, routine: Routine, broken: Callable[[], dict[str, datetime]], clock: Clock
) -> Iterator[None]:  # fmt: skip
    """A thread that looks every second until the end of the block."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(_POLL_SECONDS):
            try:
                pipeline.look(broken().get(FAULT), clock.now())
                routine.look(clock.now())
            except Transient as error:
                log.warning("demo.release_not_told", extra={"error": str(error)})

    thread = threading.Thread(target=work, name="pipeline", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _text(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
