"""Answers from a server that may be slow or away, kept so that a page always renders in bounded time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from controlplane.ports import Clock, Permanent, Transient

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """The latest good answer and when it was taken (both None before the first); `failure` says why it is not fresh."""

    value: T | None
    taken_at: datetime | None
    failure: str = ""


@dataclass(slots=True)
class _Entry(Generic[T]):
    reading: Reading[T]
    asked_at: datetime | None = None
    done: threading.Event | None = None  # set when the question under way was answered


class Remembered(Generic[T]):
    """Answers by key: asked again after `fresh_for` (a third of it after a failure), at most `patience` waited for.

    One question per key and `at_once` in all are under way at a time; a reader who would have to wait longer gets the
    last good answer and the reason. The `keep` keys used last are kept. Safe to share between threads.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        fresh_for: timedelta = timedelta(seconds=15),
        patience: timedelta = timedelta(seconds=4),
        at_once: int = 4,
        keep: int = 64,
    ) -> None:
        self._clock = clock
        self._fresh_for = fresh_for
        self._patience = patience
        self._keep = keep
        self._free = threading.BoundedSemaphore(at_once)
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()

    def get(self, key: Hashable, ask: Callable[[datetime], T]) -> Reading[T]:
        """The answer of `ask(now)`, remembered under `key`; `Transient` and `Permanent` become its `failure`."""
        now = self._clock.now()
        with self._lock:
            entry = self._entry(key)
            if entry.done is None and not self._due(entry, now):
                return entry.reading
            if entry.done is None and not self._begin(entry, ask, now):
                return Reading(entry.reading.value, entry.reading.taken_at, "too many questions are under way")
            done = entry.done
        if done is None or done.wait(self._patience.total_seconds()):
            return entry.reading
        return Reading(entry.reading.value, entry.reading.taken_at, "it is slow to answer")

    def _entry(self, key: Hashable) -> _Entry[T]:
        entry = self._entries.setdefault(key, _Entry(Reading(None, None)))
        self._entries.move_to_end(key)
        while len(self._entries) > self._keep:
            self._entries.popitem(last=False)
        return entry

    def _due(self, entry: _Entry[T], now: datetime) -> bool:
        age = self._fresh_for / 3 if entry.reading.failure else self._fresh_for
        return entry.asked_at is None or not timedelta(0) <= now - entry.asked_at < age

    def _begin(self, entry: _Entry[T], ask: Callable[[datetime], T], now: datetime) -> bool:
        if not self._free.acquire(blocking=False):
            return False
        entry.asked_at, entry.done = now, threading.Event()
        threading.Thread(target=self._answer, args=(entry, entry.done, ask, now), daemon=True).start()
        return True

    def _answer(self, entry: _Entry[T], done: threading.Event, ask: Callable[[datetime], T], now: datetime) -> None:
        before = entry.reading
        reading = Reading(before.value, before.taken_at, "the answer could not be read")
        try:
            reading = Reading(ask(now), now)
        except (Transient, Permanent) as error:
            reading = Reading(before.value, before.taken_at, str(error))
        finally:
            with self._lock:
                entry.reading, entry.done = reading, None
            self._free.release()
            done.set()
