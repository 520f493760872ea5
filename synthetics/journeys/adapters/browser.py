"""Runs a browser journey in a process of its own, under a supervisor, and reads what it tells."""

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from controlplane.model.check import Outcome
from synthetics.journeys.adapters import supervisor
from synthetics.journeys.adapters.artifacts import Artifacts, found_in
from synthetics.journeys.browser_report import Ended, Journal, report_of
from synthetics.journeys.ports import BrowserTask, OnStep, Report, no_progress
from synthetics.masking import Masker

_CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome")
INHERITED: Final = (
    "PATH", "LANG", "LANGUAGE", "LC_ALL", "TZ", "PYTHONPATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
)  # fmt: skip
OF_DISPLAYS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")
_LINE_BYTES: Final = 4 * 1024 * 1024
_ENDING_SECONDS: Final = 1.0  # of the time, kept to end what goes on
_LATE_SECONDS: Final = 0.5  # after the time, for a report that still comes
_LEAVE_SECONDS: Final = 1.0  # for a supervisor to go; one that takes longer is waited for aside
_MARGIN_SECONDS: Final = 6.0
_MARGIN_SHARE: Final = 0.4
_POLL_SECONDS: Final = 0.2
_PLUGINS: Final = (  # the first only where pytest-playwright still needs it
    "pytest_base_url.plugin", "pytest_playwright.pytest_playwright", "synthetics.journeys.pytest_plugin",
)  # fmt: skip
_PREFIX: Final = "flyball-journey-"
_LONGEST_PATH: Final = 108 - len(f"/{_PREFIX}XXXXXXXX/tmp/org.chromium.Chromium.XXXXXX/SingletonSocket") - 1
_TOO_LONG: Final = (
    f"the path of the folder for temporary files is too long for Chromium's sockets:"
    f" set TMPDIR to one of {_LONGEST_PATH} characters at most"
)
_leaving: Final[set[asyncio.Task[int]]] = set()  # tasks that nobody refers to may be forgotten by their loop
log = logging.getLogger(__name__)
MARK: Final = "FLYBALL_JOURNEY_RUN"  # in the environment of every process of a run: its folder


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take, beside time."""

    memory_bytes: int = 2 * 1024**3  # of all its processes; shared pages are divided among them
    disk_bytes: int = 512 * 1024**2  # of its folder
    file_bytes: int = 256 * 1024**2
    output_bytes: int = 64 * 1024
    processes: int = 200


@dataclass(frozen=True, slots=True)
class BrowserProcess:
    """Starts a process per run. `environment` is that of this process: what is on a list of its variables is passed on.

    `temporary` is where the folders of runs are made, and removed.
    """

    environment: Mapping[str, str]
    artifacts: Artifacts | None = None
    temporary: Path | None = None
    limits: Limits = Limits()

    async def __call__(self, task: BrowserTask, on_step: OnStep = no_progress) -> Report:
        """One run, its processes and files gone when this returns."""
        chromium = self._chromium()
        if chromium is None or find_spec("playwright") is None or find_spec("pytest_playwright") is None:
            return _no_browser(chromium)
        if not task.file.is_file():
            return Report(Outcome.FAULT, "test", f"{task.file.name}: no such file")
        if len(str(self.temporary or tempfile.gettempdir())) > _LONGEST_PATH:
            return Report(Outcome.FAULT, "browser", _TOO_LONG)
        try:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.temporary))
        except OSError as error:
            return _not_started(error)
        try:
            return await self._run(task, folder, chromium, on_step)
        except OSError as error:
            return _not_started(error)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _run(self, task: BrowserTask, folder: Path, chromium: str, on_step: OnStep) -> Report:
        masker = Masker(task.secrets.values())
        for name in ("home", "tmp", "work", "artifacts"):
            (folder / name).mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n")
        async with _supervised(self._order(task, folder, chromium)) as ended:
            journal = Journal(folder / "journal", on_step)
            end = await _waited(ended, journal, task.timeout_seconds + _LATE_SECONDS)
            report = report_of(task, end, journal, masker)
            return await asyncio.to_thread(self._with_artifacts, task, folder, report, masker)

    def _chromium(self) -> str | None:
        path = self.environment.get("PATH", os.defpath)
        return next((found for name in _CHROMIUM if (found := shutil.which(name, path=path))), None)

    def _with_artifacts(self, task: BrowserTask, folder: Path, report: Report, masker: Masker) -> Report:
        if report.outcome is Outcome.OK or not task.keeps_artifacts or self.artifacts is None:
            return report
        found = found_in(folder / "artifacts")
        try:
            kept = self.artifacts.keep(task.journey, task.started_at, task.trace_id, found, report.output, masker)
        except OSError as error:
            log.warning("journeys.artifacts_not_kept journey=%s error=%s", task.journey, error.strerror)
            return report
        return replace(report, artifacts=kept)

    def _order(self, task: BrowserTask, folder: Path, chromium: str) -> dict[str, object]:
        limits = self.limits
        return {
            "command": _command(task, folder),
            "environment": self._environment(task, folder, chromium),
            "directory": str(folder / "work"),
            "folder": str(folder),
            "limits": {
                "seconds": hard_limit(task.timeout_seconds),
                "memory_bytes": limits.memory_bytes,
                "disk_bytes": limits.disk_bytes,
                "file_bytes": limits.file_bytes,
                "output_bytes": limits.output_bytes,
                "processes": limits.processes,
            },
        }

    def _environment(self, task: BrowserTask, folder: Path, chromium: str) -> dict[str, str]:
        names = (*INHERITED, *(OF_DISPLAYS if task.is_headed else ()))
        told = {
            "journal": str(folder / "journal"),
            "secrets": dict(task.secrets),
            "variables": dict(task.variables),
            "resolve": dict(task.resolve),
            "traceparent": task.traceparent,
            "chromium": chromium,
            "soft_seconds": 0 if task.is_headed else soft_limit(hard_limit(task.timeout_seconds)),
        }
        return {
            **{name: self.environment[name] for name in names if name in self.environment},
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            MARK: str(folder),
            "FLYBALL_JOURNEY": json.dumps(told),
        }


def hard_limit(seconds: float) -> float:
    """When everything of a run is ended, so that it is over in its time."""
    return seconds - min(_ENDING_SECONDS, seconds * 0.1)


def soft_limit(seconds: float) -> float:
    """When a journey is told to end, so that there is time for a screenshot and a trace before the hard limit."""
    return seconds - min(_MARGIN_SECONDS, seconds * _MARGIN_SHARE)


def _command(task: BrowserTask, folder: Path) -> list[str]:
    where = f"{task.file}::{task.function}" if task.function else str(task.file)
    kept = task.keeps_artifacts
    plugins = [name for name in _PLUGINS if find_spec(name.partition(".")[0])]
    return [
        sys.executable, "-m", "pytest",
        *(argument for name in plugins for argument in ("-p", name)),
        "-p", "no:cacheprovider", "-p", "no:doctest", "-p", "no:junitxml", "--disable-warnings",
        "-c", str(folder / "pytest.ini"), "--rootdir", str(task.file.parent), "--import-mode=importlib",
        "--color=no", "--tb=short", "--no-header", "-q",
        "--output", str(folder / "artifacts"),
        "--screenshot", "only-on-failure" if kept else "off", "--tracing", "retain-on-failure" if kept else "off",
        *(["--base-url", task.base_url] if task.base_url else []),
        *(["--headed"] if task.is_headed else []),
        where,
    ]  # fmt: skip


def _no_browser(chromium: str | None) -> Report:
    missing = "Chromium is not on the PATH" if chromium is None else "pytest-playwright is not installed"
    way_out = "apt-get install chromium" if chromium is None else "pip install 'flyball[browser]'"
    return Report(Outcome.FAULT, "browser", f"{missing}: {way_out}")


def _not_started(error: OSError) -> Report:
    return Report(Outcome.FAULT, "process", f"this machine cannot run it: {error.strerror}")


@asynccontextmanager
async def _supervised(order: dict[str, object]) -> "AsyncIterator[asyncio.StreamReader]":
    """A supervisor at work; it ends everything, and removes the folder, when this is left for whatever reason."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", supervisor.__file__,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True, env={}, limit=_LINE_BYTES,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(ConnectionError):
            process.stdin.write(json.dumps(order).encode() + b"\n")
            await process.stdin.drain()
        yield process.stdout
    finally:
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), _LEAVE_SECONDS)
        except TimeoutError:
            log.warning("journeys.supervisor_is_slow pid=%d", process.pid)
            leaving = asyncio.create_task(process.wait())
            _leaving.add(leaving)
            leaving.add_done_callback(_leaving.discard)


async def _waited(reports: asyncio.StreamReader, journal: Journal, seconds: float) -> Ended | None:
    """What the supervisor says in the end; None when it says nothing. Steps are told meanwhile."""

    async def follow() -> None:
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            journal.read()

    following = asyncio.create_task(follow())
    try:
        line = await asyncio.wait_for(reports.readline(), seconds)
        return Ended.of(line)
    except TimeoutError:
        return Ended("timeout", None, 0, "")
    except ValueError:
        return None
    finally:
        following.cancel()
        journal.close(time.monotonic())
