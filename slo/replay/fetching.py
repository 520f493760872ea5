"""Asks a metrics backend for the past, in pieces that it can bear."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final, TypeVar

import numpy as np

from controlplane.model.series import Series
from controlplane.ports import MetricsBackend, Permanent, Transient
from slo.replay.history import moment_of
from slo.replay.sliding import Floats

AT_ONCE: Final = 2  # queries: enough to keep two cores of a Prometheus busy, and to leave it the others
_REMEMBERED: Final = 200  # answers: SLOs that share queries mostly stand together
SMALLEST: Final = 60  # points: what cannot answer as few as these is broken, not busy
_TOO_MUCH: Final = (
    "too many samples", "maximum resolution", "exceed", "timed out", "timeout", "too large", "limit",
    "did not answer within", "answers with more than",
)  # fmt: skip

Group = tuple[str, ...]  # the values of an SLO's group labels
_Answer = Future[dict[Group, Floats]]
_Job = Callable[[], None]
_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression at minutes `first`, `first` + `step`, … before `end` (minutes since 1970)."""

    expr: str
    first: int
    end: int
    step: int

    @property
    def points(self) -> int:
        """How many moments it is asked at."""
        return max(0, -(-(self.end - self.first) // self.step))

    def halves(self) -> tuple["Asked", "Asked"]:
        """The same in two requests."""
        middle = self.first + self.points // 2 * self.step
        return Asked(self.expr, self.first, middle, self.step), Asked(self.expr, middle, self.end, self.step)


@dataclass(slots=True)
class Fetcher:
    """Answers as arrays, each question asked once however many SLOs have it.

    A request that is too much for the backend (samples, points, time) is halved until it can be answered; one that
    fails otherwise raises `Transient` or `Permanent`.
    """

    backend: MetricsBackend
    _answers: OrderedDict[tuple[Asked, tuple[str, ...]], Future[dict[Group, Floats]]] = field(
        default_factory=OrderedDict
    )
    _lock: Lock = field(default_factory=Lock)

    def arrays(self, asked: Asked, groups: Sequence[str]) -> dict[Group, Floats]:
        """Values by group, NaN where there are none. Infinities and NaN of the backend are missing data, too."""
        key = (asked, tuple(groups))
        with self._lock:
            answer = self._answers.get(key)
            mine = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
                if len(self._answers) > _REMEMBERED:
                    self._answers.popitem(last=False)
        if mine:
            try:
                answer.set_result(self._ask(asked, groups))
            except (Transient, Permanent) as error:
                answer.set_exception(error)
        return answer.result()

    def _ask(self, asked: Asked, groups: Sequence[str]) -> dict[Group, Floats]:
        found: dict[Group, Floats] = {}
        for series in self._series(asked):
            group = tuple(series.labels.get(label, "") for label in groups)
            values = found.setdefault(group, np.full(asked.points, np.nan))
            places, numbers = _placed(series, asked)
            values[places] = np.where(np.isfinite(numbers), numbers, np.nan)
        return found

    def _series(self, asked: Asked) -> list[Series]:
        last = asked.first + (asked.points - 1) * asked.step
        try:
            return self.backend.query_range(
                asked.expr, moment_of(asked.first), moment_of(last), timedelta(minutes=asked.step)
            )
        except (Transient, Permanent) as error:
            if asked.points < 2 * SMALLEST or not _is_too_much(error):
                raise
        return [series for half in asked.halves() for series in self._series(half)]


def _is_too_much(error: Transient | Permanent) -> bool:
    told = str(error).lower()
    return any(words in told for words in _TOO_MUCH)


def _placed(series: Series, asked: Asked) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
    origin = moment_of(asked.first).timestamp()
    seconds = np.fromiter((at.timestamp() for at, _ in series.points), np.float64, len(series.points))
    values = np.fromiter((value for _, value in series.points), np.float64, len(series.points))
    return np.rint((seconds - origin) / (60 * asked.step)).astype(np.int64), values


class Workers:
    """Threads that work through what is submitted, and are left behind when the program ends."""

    def __init__(self, count: int = AT_ONCE) -> None:
        self._waiting: SimpleQueue[_Job | None] = SimpleQueue()
        self._count = count
        for _ in range(count):
            Thread(target=self._work, daemon=True).start()

    def submit(self, job: Callable[[], _Made]) -> Future[_Made]:
        """Do it in its turn."""
        future: Future[_Made] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(job())
                except BaseException as error:  # noqa: BLE001 -- raised again where the result is waited for
                    future.set_exception(error)

        self._waiting.put(run)
        return future

    def close(self) -> None:
        """Forget what was not begun."""
        with suppress(Empty):
            while True:
                self._waiting.get_nowait()
        for _ in range(self._count):
            self._waiting.put(None)

    def _work(self) -> None:
        while (job := self._waiting.get()) is not None:
            job()
