"""From what a journey's process and its supervisor told to what is reported. Neither is trusted to keep to bounds."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from controlplane.model.check import DETAIL_LENGTH, MAX_TIMINGS, Outcome, Timing
from synthetics.journeys.ports import BrowserTask, OnStep, Report, StepEvent
from synthetics.masking import Masker

_MOST_BYTES: Final = 1024 * 1024  # of a journal
_NAME: Final = 80  # characters of a step's name
_LIMITS: Final = {
    "memory": "it took more memory than a journey may",
    "disk": "it wrote more to disk than a journey may",
    "processes": "it started more processes than a journey may",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How the process ended. `limit`: which one ended it, or empty. `status`: its exit status, negative: a signal."""

    limit: str
    status: int | None
    left: int
    output: str

    @staticmethod
    def of(line: bytes) -> "Ended | None":
        """A supervisor's report; None when it is none. Raises `ValueError` when it is not JSON."""
        told = json.loads(line)
        if not isinstance(told, dict) or not told.get("started"):
            return None
        status, output = told.get("status"), str(told.get("output", ""))
        cut = told.get("cut", 0)
        head = f"({cut} bytes before this are left out)\n" if cut else ""
        output = output.partition("\n")[2] if cut else output  # the rest of a line may be the rest of a secret
        return Ended(
            str(told.get("limit", "")), status if isinstance(status, int) else None, int(told["left"]), head + output
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    outcome: Outcome
    reason: str
    detail: str
    where: str = ""


class Journal:
    """The file in which a journey's process tells its steps, read while it is written."""

    def __init__(self, path: Path, on_step: OnStep) -> None:
        self._path, self._on_step = path, on_step
        self._at = 0
        self._rest = b""
        self.timings: list[Timing] = []
        self.open: list[tuple[str, float]] = []  # steps that have begun and when (monotonic), the innermost last
        self.failed_step = ""
        self.said: _Outcome | None = None

    def read(self) -> None:
        """Take what is new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._at)
                piece = file.read(max(0, _MOST_BYTES - self._at))
        except OSError:
            return
        self._at += len(piece)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                self._take(event)

    def _take(self, event: dict[str, object]) -> None:
        name = str(event.get("step", ""))[:_NAME]
        match event.get("event"):
            case "begin" if isinstance(at := event.get("at"), float):
                self.open.append((name, at))
                self._on_step(StepEvent(name))
            case "end" if isinstance(seconds := event.get("seconds"), float):
                self._end(name, seconds, ok=event.get("ok") is True)
            case "outcome" if self.said is None:
                said = str(event.get("outcome"))
                outcome = Outcome(said) if said in ("ok", "failed", "fault") else Outcome.FAULT
                where = str(event.get("where", ""))[:_NAME]
                self.said = _Outcome(outcome, str(event.get("reason", ""))[:40], str(event.get("detail", "")), where)

    def close(self, now: float) -> None:
        """Steps that go on were cut off; `now` is the monotonic clock, which processes of one machine share."""
        self.read()
        for name, at in reversed(self.open[-MAX_TIMINGS:]):
            self._end(name, max(0.0, now - at), ok=False)

    def _end(self, name: str, seconds: float, *, ok: bool) -> None:
        self.open = [each for each in self.open if each[0] != name]
        if not ok and not self.failed_step:
            self.failed_step = name
        if len(self.timings) < MAX_TIMINGS:
            self.timings.append(Timing(self._unique(name), round(seconds, 6)))
        self._on_step(StepEvent(name, seconds, ok=ok))

    def _unique(self, name: str) -> str:
        """A step that is there again is told apart: `query`, `query 2`."""
        taken = {timing.name for timing in self.timings}
        return next(each for n in range(1, MAX_TIMINGS + 2) if (each := f"{name} {n}" if n > 1 else name) not in taken)


def report_of(task: BrowserTask, ended: Ended | None, journal: Journal, masker: Masker) -> Report:
    """How the run went."""
    verdict = _verdict(task, ended, journal)
    step = "" if verdict.outcome is Outcome.OK else journal.failed_step
    detail = f"step `{step}`: {verdict.detail}" if step else verdict.detail
    shown = masker.text(detail)
    return Report(
        verdict.outcome,
        verdict.reason,
        shown if len(shown) <= DETAIL_LENGTH else f"{shown[: DETAIL_LENGTH - 1]}…",
        tuple(Timing(masker.text(each.name), each.seconds) for each in journal.timings),
        masker.text(step),
        output=masker.text(ended.output) if ended else "",
        where=verdict.where,
        ended_processes=ended.left if ended else 0,
    )


def _verdict(task: BrowserTask, ended: Ended | None, journal: Journal) -> _Outcome:
    """What the journey said itself counts before how its process ended, which may be slow to go."""
    said, late = journal.said, f"it was not done within {task.timeout_seconds:g} s"
    if said is not None:
        return replace(said, detail=late) if said.reason == "timeout" else said
    if ended is None:
        return _Outcome(Outcome.FAULT, "crash", "the process that watches over the journey ended early")
    if ended.limit == "timeout":
        return _Outcome(Outcome.FAILED, "timeout", late)
    if ended.limit:
        detail = _LIMITS.get(ended.limit, "it was ended")
        return _Outcome(Outcome.FAILED if ended.limit in _LIMITS else Outcome.FAULT, ended.limit, detail)
    how = f"by signal {-ended.status}" if ended.status is not None and ended.status < 0 else "without a result"
    return _Outcome(Outcome.FAULT, "crash", f"the journey's process ended {how}")
