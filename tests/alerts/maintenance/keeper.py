"""An Alertmanager's silences in memory, with its own rules for changing them."""

from dataclasses import replace
from datetime import datetime

from alerts.ports import Silence
from controlplane.ports import Permanent, Transient


class MemoryKeeper:
    """`SilenceKeeper`; `now` is its clock. As `silence.go` has it: what begun can only be prolonged or shortened."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.fails = False
        self.calls = 0
        self._all: dict[str, Silence] = {}

    def silences(self) -> list[Silence]:
        return [silence for silence in self._all.values() if silence.ends_at > self.now]

    def active(self) -> list[Silence]:
        return [silence for silence in self.silences() if silence.starts_at <= self.now]

    def put(self, silence: Silence) -> str:
        self.calls += 1
        if self.fails:
            raise Transient("it is away")
        if silence.ends_at <= self.now:
            raise Permanent("invalid silence: end time can't be in the past")
        before = self._all.get(silence.id)
        has_begun = before is not None and before.starts_at <= self.now
        if before is not None and has_begun and (before.starts_at, before.matchers) != (
            silence.starts_at, silence.matchers,
        ):  # fmt: skip
            self.expire(silence.id)
            silence = replace(silence, id="")
        given = silence.id or f"s{len(self._all)}"
        starts_at = silence.starts_at if before is not None and before.id == given else max(silence.starts_at, self.now)
        self._all[given] = replace(silence, id=given, starts_at=starts_at)
        return given

    def expire(self, silence_id: str) -> None:
        self.calls += 1
        if self.fails:
            raise Transient("it is away")
        self._all[silence_id] = replace(self._all[silence_id], ends_at=self.now)
