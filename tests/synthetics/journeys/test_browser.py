"""Journeys in a process of their own: what they end as, and that nothing is left of them."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.model.check import Outcome
from synthetics.journeys.adapters.artifacts import Artifacts
from synthetics.journeys.adapters.browser import BrowserProcess, Limits
from synthetics.journeys.adapters.http import HTTPSessions
from synthetics.journeys.environment import Environment
from synthetics.journeys.ports import BrowserTask, Report, StepEvent
from synthetics.journeys.running import Runner, check_of
from tests.synthetics.journeys.demo import serving_demo
from tests.synthetics.journeys.leftovers import leftovers, marked
from tests.synthetics.journeys.pages import PASSWORD, SESSION, USER, Platform, serving
from tests.synthetics.journeys.reading import WORKSPACE, example_journeys

NOW = datetime(2026, 11, 30, 19, 21, 7, tzinfo=UTC)
CORE_FLOW = WORKSPACE / "journeys" / "test_core_flow.py"


@pytest.fixture
def platform() -> Iterator[Platform]:
    with serving() as found:
        yield found


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where the folders of runs are made: a short path, as Chromium's sockets need it."""
    with tempfile.TemporaryDirectory(prefix="runs-") as name:
        yield Path(name)


def process(tmp_path: Path, temporary: Path, **limits: int) -> BrowserProcess:
    return BrowserProcess(dict(os.environ), Artifacts(tmp_path / "kept"), temporary, Limits(**limits))


def a_task(file: Path, seconds: float = 30, **given: object) -> BrowserTask:
    values: dict[str, object] = {
        "journey": "shop", "file": file, "function": "", "started_at": NOW, "trace_id": "ab" * 16,
        "traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "timeout_seconds": seconds,
    }  # fmt: skip
    return BrowserTask(**{**values, **given})  # type: ignore[arg-type]


def ran(tmp_path: Path, temporary: Path, program: str, seconds: float = 30, **limits: int) -> Report:
    """What becomes of a test file."""
    file = tmp_path / "test_shop.py"
    file.write_text(program)
    task = a_task(file, seconds, secrets={"password": PASSWORD})
    report = asyncio.run(process(tmp_path, temporary, **limits)(task))
    assert list(temporary.iterdir()) == []
    assert marked(temporary) == frozenset()
    return report


@pytest.mark.parametrize(
    ("program", "outcome", "reason", "detail"),
    [
        ("import os\ndef test_x(): os._exit(0)\n", Outcome.FAULT, "crash", "the journey's process ended without a"),
        (
            "def test_x(step, secret):\n  with step('sign in'):\n    with step('type'):\n"
            "      raise ValueError('no ' + secret('password'))\n",
            Outcome.FAILED, "step", "step `type`: ValueError: no ***",
        ),
        (
            "import time\ndef test_x(step):\n  with step('spin'):\n    while True: time.sleep(0.01)\n",
            Outcome.FAILED, "timeout", "step `spin`: it was not done within 3 s",
        ),
    ],
)  # fmt: skip
def test_how_a_journey_ends_is_told(
    program: str, outcome: Outcome, reason: str, detail: str, tmp_path: Path, temporary: Path
) -> None:
    report = ran(tmp_path, temporary, program, 3 if "spin" in program else 30)
    assert (report.outcome, report.reason) == (outcome, reason)
    assert report.detail.startswith(detail)
    assert PASSWORD not in repr(report)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("program", "outcome", "reason", "detail"),
    [
        ("def test_x(:\n", Outcome.FAULT, "test", "SyntaxError: invalid syntax"),
        (
            "def test_a(): pass\ndef test_b(): pass\n", Outcome.FAULT, "test",
            "a journey is one test function, here are 2: test_a, test_b",
        ),
        ("import nothing_like_this\n", Outcome.FAULT, "test", "No module named 'nothing_like_this'"),
        ("def test_x(no_such): pass\n", Outcome.FAULT, "test", ""),
        ("import pytest\ndef test_x(): pytest.skip('not today')\n", Outcome.FAULT, "test", "it was skipped: not today"),
        ("import os\ndef test_x(): os.kill(os.getpid(), 9)\n", Outcome.FAULT, "crash", ""),
        ("def test_x(secret): secret('nope')\n", Outcome.FAILED, "test", ""),
        ("import os\ndef test_x():\n  for _ in range(300): os.write(1, bytes(10**6))\n", Outcome.FAILED, "test", ""),
        (
            "def test_x():\n  for n in range(20):\n    open(f'f{n}', 'wb').write(bytes(50_000_000))\n",
            Outcome.FAILED, "disk", "it wrote more to disk than a journey may",
        ),
        (
            "def test_x(): keep = [bytearray(50_000_000) for _ in range(100)]\n",
            Outcome.FAILED, "memory", "it took more memory than a journey may",
        ),
    ],
)  # fmt: skip
def test_odd_journeys_are_bounded(
    program: str, outcome: Outcome, reason: str, detail: str, tmp_path: Path, temporary: Path
) -> None:
    report = ran(tmp_path, temporary, program, memory_bytes=800_000_000)
    assert (report.outcome, report.reason) == (outcome, reason)
    assert detail in report.detail


def test_without_a_browser_it_says_how_to_get_one(tmp_path: Path, temporary: Path) -> None:
    without = BrowserProcess({"PATH": str(tmp_path)}, temporary=temporary)
    report = asyncio.run(without(a_task(CORE_FLOW)))
    assert (report.outcome, report.reason) == (Outcome.FAULT, "browser")
    assert report.detail == "Chromium is not on the PATH: apt-get install chromium"


def test_a_path_that_is_too_long_for_the_browser_is_told(tmp_path: Path) -> None:
    report = asyncio.run(process(tmp_path, tmp_path / ("x" * 40))(a_task(CORE_FLOW)))
    assert (report.outcome, report.reason) == (Outcome.FAULT, "browser")
    assert "set TMPDIR to one of" in report.detail


@pytest.mark.browser
@pytest.mark.soak  # the demo's end-to-end test walks it as well
def test_the_core_flow_is_walked_and_nothing_is_left(tmp_path: Path, temporary: Path) -> None:
    assert _walks(1, tmp_path, temporary) == (0, 0)


@pytest.mark.browser
@pytest.mark.soak
def test_a_hundred_journeys_leave_nothing(tmp_path: Path, temporary: Path) -> None:
    failed, grown = _walks(100, tmp_path, temporary)
    assert failed == 0
    assert grown < 2 * 1024 * 1024


def _walks(count: int, tmp_path: Path, temporary: Path) -> tuple[int, int]:
    """How many failed, and by how many bytes this process grew after the tenth."""
    journey = example_journeys()["core-flow"]
    with serving_demo() as (pins, variables):
        runner = Runner(
            WORKSPACE, HTTPSessions(), process(tmp_path, temporary), Environment(variables), os.urandom, "eu", pins
        )  # fmt: skip
        check = check_of(journey, runner)
        assert check.is_heavy
        asyncio.run(check.run(NOW)) if count > 2 else None
        before, resident, failed = leftovers(temporary), 0, 0
        for number in range(count):
            result = asyncio.run(check.run(NOW))
            failed += result.outcome is not Outcome.OK
            steps = [timing.name for timing in result.timings]
            assert steps == ["sign in", "query", "write", "two hops"] or result.outcome is not Outcome.OK
            resident = leftovers(temporary).resident_bytes if number == 9 else resident
        after = leftovers(temporary)
    assert (after.processes, after.files) == (before.processes, before.files)
    assert after.descriptors <= before.descriptors
    return failed, after.resident_bytes - resident if resident else 0


@pytest.mark.browser
def test_of_a_failure_screenshot_and_trace_are_kept_without_secrets(
    platform: Platform, tmp_path: Path, temporary: Path
) -> None:
    platform.is_broken = True
    events: list[StepEvent] = []
    file = tmp_path / "test_core_flow.py"  # that waits less for what does not come
    file.write_text(CORE_FLOW.read_text().replace("to_be_visible()", "to_be_visible(timeout=500)"))
    task = a_task(
        file,
        base_url="http://app.intelgraph.example",
        resolve={"app.intelgraph.example:80": f"127.0.0.1:{platform.port}"},
        secrets={"password": PASSWORD},
        variables={"user": USER},
    )
    report = asyncio.run(process(tmp_path, temporary)(task, events.append))
    assert (report.outcome, report.reason, report.failed_step) == (Outcome.FAILED, "step", "query")
    assert report.detail.startswith("step `query`: Locator expected to be visible")
    assert report.where.startswith("test_core_flow.py:")
    assert [timing.name for timing in report.timings] == ["sign in", "query"]
    assert [(event.name, event.ok) for event in events if event.seconds] == [("sign in", True), ("query", False)]
    assert sorted(path.name for path in report.artifacts) == ["output.txt", "test-failed-1.png", "trace.zip"]
    assert platform.requests[0][1]["traceparent"] == task.traceparent
    _holds_nothing_secret(next(path for path in report.artifacts if path.suffix == ".zip"))
    assert (list(temporary.iterdir()), marked(temporary)) == ([], frozenset())


def _holds_nothing_secret(path: Path) -> None:
    with zipfile.ZipFile(path) as trace:
        contents = {name: trace.read(name) for name in trace.namelist()}
    assert any(name.endswith(".trace") for name in contents)
    assert any(b'"type":"before"' in content for content in contents.values())
    for form in (PASSWORD, SESSION, "correct+horse%2Fbattery", "correct%20horse%2Fbattery"):
        assert not [name for name, content in contents.items() if form.encode() in content], form


_PROBER = """
import asyncio, json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from synthetics.journeys.adapters.browser import BrowserProcess
from synthetics.journeys.ports import BrowserTask
file, temporary, url = sys.argv[1:]
task = BrowserTask("shop", Path(file), "", datetime.now(UTC), "ab" * 16, "", 60.0, base_url=url)
asyncio.run(BrowserProcess(dict(os.environ), temporary=Path(temporary))(task, lambda event: print("ready", flush=True)))
"""


@pytest.mark.browser
def test_a_prober_that_is_killed_leaves_no_browser(platform: Platform, tmp_path: Path, temporary: Path) -> None:
    file = tmp_path / "test_shop.py"
    file.write_text("def test_x(page, step):\n  with step('open'):\n    page.goto('/hang')\n")
    command = [sys.executable, "-c", _PROBER, str(file), str(temporary), platform.url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(_ROOT)}) as prober:
        assert prober.stdout is not None
        assert prober.stdout.readline() == b"ready\n"
        assert len(marked(temporary)) > 3
        prober.kill()
    until = time.monotonic() + 20
    while (marked(temporary) or list(temporary.iterdir())) and time.monotonic() < until:
        time.sleep(0.05)
    assert (marked(temporary), list(temporary.iterdir())) == (frozenset(), [])


_ROOT = WORKSPACE.parents[1]

_ODD_PAGES: Mapping[str, tuple[str, Outcome, str, str]] = {
    "a page that never answers": ("page.goto('/hang')", Outcome.FAILED, "timeout", "step `open`"),
    "a script that never ends": ("page.goto('/loop'); page.get_by_role('button').click(); page.title()", Outcome.FAILED,
                                 "timeout", "step `open`"),
    "dialogs, popups and downloads": ("page.goto('/odd'); page.click('a')", Outcome.OK, "", ""),
    "a browser that is killed": ("page.goto('/odd'); kill('chromium'); page.goto('/odd')", Outcome.FAULT, "crash",
                                 "the browser ended"),
    "a page that crashes": ("page.goto('/odd'); kill('--type=renderer'); page.wait_for_timeout(500); page.title()",
                            Outcome.FAILED, "crash", "rash"),
}  # fmt: skip


@pytest.mark.browser
@pytest.mark.soak
@pytest.mark.parametrize("name", _ODD_PAGES)
def test_odd_pages_are_bounded(name: str, platform: Platform, tmp_path: Path, temporary: Path) -> None:
    line, outcome, reason, detail = _ODD_PAGES[name]
    file = tmp_path / "test_shop.py"
    file.write_text(
        "import os\nfrom synthetics.journeys.adapters.supervisor import below\n"
        "def kill(word):\n  for each in below(os.getpid()):\n"
        "    if word in open(f'/proc/{each.pid}/cmdline').read(): os.kill(each.pid, 9)\n"
        f"def test_x(page, step):\n  with step('open'):\n    {line}\n"
    )
    report = asyncio.run(process(tmp_path, temporary)(a_task(file, 25, base_url=platform.url)))
    assert (report.outcome, report.reason) == (outcome, reason)
    assert detail in report.detail
    assert (list(temporary.iterdir()), marked(temporary)) == ([], frozenset())
    if reason == "timeout":
        assert "trace.zip" in [path.name for path in report.artifacts]
