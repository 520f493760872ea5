"""What journeys need of the world, as protocols: a way to send requests, and a way to run a browser."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from controlplane.model.check import Outcome, Timing
from synthetics.probes.attempt import Answer


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, ready to be sent."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout_seconds: float = 30.0
    follow_redirects: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and the seconds from the request to the end of its body. Redirects are not told apart."""

    answer: Answer
    seconds: float
    cookies: tuple[tuple[str, str], ...] = ()  # that the session holds now


class NoReply(Exception):
    """The request got no usable answer. `reason` is a word as in `CheckResult`; `is_fault`: our own side's."""

    def __init__(self, reason: str, detail: str, *, is_fault: bool = False) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.is_fault = reason, detail, is_fault


class Session(Protocol):
    """Requests that share cookies and connections."""

    async def send(self, request: Request) -> Reply:
        """Send it; raises `NoReply`."""
        ...


class OpenSession(Protocol):
    """Opens a session; `resolve` pins `host:port` to an address `host:port`."""

    def __call__(self, resolve: Mapping[str, str]) -> AbstractAsyncContextManager[Session]:
        """A session, closed at the end."""
        ...


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step of a run begins (`seconds` None) or has ended."""

    name: str
    seconds: float | None = None
    ok: bool = True


OnStep = Callable[[StepEvent], None]


def no_progress(event: StepEvent) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class BrowserTask:
    """A run of a browser journey. `file` is absolute; `function` empty: the only one of the file."""

    journey: str
    file: Path
    function: str
    started_at: datetime
    trace_id: str
    traceparent: str
    timeout_seconds: float
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    resolve: Mapping[str, str] = field(default_factory=dict)
    keeps_artifacts: bool = True
    is_headed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a run went, of either sort; `reason` and `detail` as in `CheckResult`, without secrets."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""
    timings: tuple[Timing, ...] = ()
    failed_step: str = ""
    artifacts: tuple[Path, ...] = ()
    output: str = ""  # the end of what the process wrote, for people
    where: str = ""  # of the test function, as FILE:LINE
    ended_processes: int = 0  # that the journey left running when it was done


class RunBrowser(Protocol):
    """Runs one browser journey in a process of its own."""

    async def __call__(self, task: BrowserTask, on_step: OnStep = no_progress) -> Report:
        """Never raises for what a journey does; ends within the task's timeout and a second."""
        ...
