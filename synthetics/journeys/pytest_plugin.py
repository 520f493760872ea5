"""The pytest plugin of browser journeys: fixtures, the browser's launch, and a journal of steps for whoever asked.

It runs in the journey's own process (`-p pytest_playwright.pytest_playwright -p synthetics.journeys.pytest_plugin`),
which is told everything by the variable FLYBALL_JOURNEY. Fixtures of a journey: `step`, `secret`, `variable`, and all
those of pytest-playwright; where addresses such as `/sign-in` begin is its option `--base-url`.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

_VARIABLE: Final = "FLYBALL_JOURNEY"
_DETAIL: Final = 1000  # characters of an error's text that are passed on; the receiver masks and cuts it
_MOST_STEPS: Final = 1000
_CRASHES: Final = ("crashed", "has been closed", "Connection closed")

_LAUNCHING: Final = (":FATAL:", "X server", "No such file", "Permission denied", "error while loading")
_PLAIN: Final = (AssertionError, pytest.skip.Exception, pytest.fail.Exception, pytest.UsageError)

Step = Callable[[str], AbstractContextManager[None]]
Read = Callable[[str], str]


class SoftLimit(BaseException):
    """The time is nearly up: the journey is ended while there is time to keep a screenshot and a trace."""


class Told:
    """What this run was told, and what it tells: one line of JSON for each event, written at once."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        self.secrets: Mapping[str, str] = told.get("secrets", {})
        self.variables: Mapping[str, str] = told.get("variables", {})
        self.resolve: Mapping[str, str] = told.get("resolve", {})
        self.traceparent: str = told.get("traceparent", "")
        self.chromium: str = told.get("chromium", "")
        self.soft_seconds: float = told.get("soft_seconds", 0)
        self._journal: str = told.get("journal", "")
        self.steps: list[str] = []  # that go on, the innermost last
        self.failed_step = ""
        self.is_late = False
        self._count = 0
        self._has_ended = False

    def tell(self, event: str, **fields: object) -> None:
        """Append to the journal."""
        if self._journal:
            line = json.dumps({"event": event, **fields}) + "\n"
            with Path(self._journal).open("a", encoding="utf-8") as file:
                file.write(line)

    def end(self, outcome: str, reason: str = "", detail: str = "", where: str = "") -> None:
        """Say how it ended; the first word counts."""
        if not self._has_ended:
            self._has_ended = True
            self.tell("outcome", outcome=outcome, reason=reason, detail=detail[:_DETAIL], where=where)

    def begin_step(self, name: str) -> None:
        """A step begins."""
        self._count += 1
        if self._count > _MOST_STEPS:
            raise RuntimeError(f"more than {_MOST_STEPS} steps")
        self.steps.append(name)
        self.tell("begin", step=name, at=time.monotonic())

    def end_step(self, name: str, seconds: float, *, ok: bool) -> None:
        """A step has ended."""
        if not ok and not self.failed_step:
            self.failed_step = name
        self.steps.pop()
        self.tell("end", step=name, seconds=seconds, ok=ok)


def _told_by(environment: "os._Environ[str]") -> Told:
    """Taken out of the environment, so that the browser does not inherit secrets."""
    return Told(json.loads(environment.pop(_VARIABLE, "{}")))


_told = _told_by(os.environ)  # noqa: TID251 -- the border of this process


# --- fixtures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def step(request: pytest.FixtureRequest) -> Step:
    """`with step("sign in"): …` times a part of the journey, and names it when it fails."""
    context = request.getfixturevalue("context") if "context" in request.fixturenames else None

    @contextmanager
    def one(name: str) -> Iterator[None]:
        _told.begin_step(name)
        began, ok = time.monotonic(), False
        _group(context, name)
        try:
            yield
            ok = True
        finally:
            _told.end_step(name, time.monotonic() - began, ok=ok)
            _group(context, None)

    return one


def _group(context: Any, name: str | None) -> None:
    """Let the trace show steps as groups; what fails here is told by the step itself."""
    if context is not None and not _told.is_late:
        with suppress(Exception):
            context.tracing.group(name) if name is not None else context.tracing.group_end()


@pytest.fixture(scope="session")
def secret() -> Read:
    """`secret("password")`: the value of a secret that the Journey names."""
    return lambda name: _one_of(_told.secrets, name, "secret", "JOURNEY_SECRET_")


@pytest.fixture(scope="session")
def variable() -> Read:
    """`variable("tenant")`: the value of a variable that the Journey names."""
    return lambda name: _one_of(_told.variables, name, "variable", "JOURNEY_VARIABLE_")


def _one_of(known: Mapping[str, str], name: str, what: str, prefix: str) -> str:
    by_hand = prefix + name.upper().replace("-", "_")  # pytest without `flyball journey run`
    value = known.get(name) or os.environ.get(by_hand)  # noqa: TID251 -- the border of this process
    if value is None:
        raise pytest.UsageError(f"the Journey names no {what} `{name}`; without flyball, set {by_hand}")
    return value


@pytest.fixture(scope="session")
def browser_type_launch_args(pytestconfig: pytest.Config) -> dict[str, Any]:
    """How Debian's Chromium is started."""
    arguments = ["--disable-dev-shm-usage"]  # shared memory goes to the run's own folder
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses its sandbox to root
    if _told.resolve:
        rules = ", ".join(f"MAP {name} {address}" for name, address in sorted(_told.resolve.items()))
        arguments.append(f"--host-resolver-rules={rules}")
    launch: dict[str, Any] = {"args": arguments, "headless": not pytestconfig.getoption("--headed", False)}
    if _told.chromium:
        launch["executable_path"] = _told.chromium
    if slow := pytestconfig.getoption("--slowmo", 0):
        launch["slow_mo"] = slow
    return launch


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Every request carries the run's trace."""
    headers = {"traceparent": _told.traceparent} if _told.traceparent else {}
    return {**browser_context_args, "extra_http_headers": headers}


# --- how it ends ------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count the time."""
    if not _told.soft_seconds:
        return

    def on_soft_limit(number: int, frame: FrameType | None) -> None:
        """End what the journey does: its own code by an exception, a page that hangs by ending the page's process.

        Within a call of Playwright this handler runs in the greenlet of its loop, where an exception would break it.
        """
        _told.is_late = True
        from greenlet import getcurrent  # type: ignore[import-untyped]

        if getcurrent().parent is None:
            raise SoftLimit
        config.option.screenshot = "off"  # of a page without a process it is waited for in vain
        _end_pages()

    signal.signal(signal.SIGALRM, on_soft_limit)
    signal.setitimer(signal.ITIMER_REAL, _told.soft_seconds)


def _end_pages() -> None:
    from synthetics.journeys.adapters.supervisor import below

    for process in below(os.getpid()):
        with suppress(OSError):
            if b"--type=renderer" in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                os.kill(process.pid, signal.SIGKILL)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A file that cannot be read as Python, or that has no such function."""
    if report.failed:
        _told.end("fault", "test", _last_line(str(report.longrepr)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """A journey is one function."""
    count = len(session.items)
    if count != 1:
        names = ", ".join(item.name for item in session.items[:5]) or "none"
        _told.end("fault", "test", f"a journey is one test function, here are {count}: {names}")
        session.items.clear()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Tell what failed in which part."""
    yield
    error = call.excinfo.value if call.excinfo else None
    if error is None:
        if call.when == "teardown":
            _told.end("ok")
        return
    if call.when == "call" or _told.is_late:
        _told.end(*_failure(item, error), _where(item, error))
    else:
        _told.end(*_fault(error))


def _failure(item: pytest.Item, error: BaseException) -> tuple[str, str, str]:
    """What happens while the function runs is a failure; only a browser that is gone is a fault of ours."""
    text = _text(error)
    if _told.is_late:
        return "failed", "timeout", "the time was nearly up"
    if isinstance(error, pytest.skip.Exception):
        return "fault", "test", f"it was skipped: {text}"
    if any(word in text for word in _CRASHES):
        browser = getattr(item, "funcargs", {}).get("browser") or _browser_of(item)
        if browser is not None and not browser.is_connected():
            return "fault", "crash", "the browser ended"
        return "failed", "crash", text
    return "failed", "step" if _told.failed_step else "test", text


def _where(item: pytest.Item, error: BaseException) -> str:
    """The innermost line of the journey's own file."""
    own = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == str(item.path)]
    return f"{item.path.name}:{own[-1].lineno}" if own else ""


def _browser_of(item: pytest.Item) -> Any:
    for name in ("page", "context"):
        given = getattr(item, "funcargs", {}).get(name)
        if given is not None:
            return given.context.browser if name == "page" else given.browser
    return None


def _fault(error: BaseException) -> tuple[str, str, str]:
    """What fails before the function runs, or after, says nothing about the target."""
    if isinstance(error, pytest.skip.Exception):
        return "fault", "test", f"it was skipped: {_text(error)}"
    if not type(error).__module__.startswith("playwright"):
        return "fault", "test", _text(error)
    first, *rest = str(error).splitlines()
    said = [line.strip(" -") for line in rest if any(word in line for word in _LAUNCHING)]
    return "fault", "browser", "; ".join([first, *said[:2]])


def _text(error: BaseException) -> str:
    """An error in one line: its own words, without what pytest or Playwright drew around them."""
    message = str(getattr(error, "msg", None) or error)
    lines = [line.strip(" -\t") for line in message.splitlines()]
    told = [line for line in lines if line and line != "Call log:" and not set(line) <= set("=╔╗╚╝═║ ")]
    is_plain = isinstance(error, _PLAIN) or type(error).__module__.startswith("playwright")
    text = "; ".join(told[:4])
    return text or type(error).__name__ if is_plain else f"{type(error).__name__}: {text}".removesuffix(": ")


def _last_line(text: str) -> str:
    lines = [line.removeprefix("E ").strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it cannot be collected"


def pytest_sessionfinish(exitstatus: int) -> None:
    """What ended otherwise, such as by `pytest.exit`, told as such; the first word counts."""
    status = getattr(exitstatus, "name", str(exitstatus))
    _told.end("fault", "test", f"pytest ended with {status}")
    sys.stdout.flush()
