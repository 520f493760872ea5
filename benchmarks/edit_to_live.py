"""How long an edit takes from being saved to running in Prometheus, with `flyball up` as a process of its own."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from benchmarks.command_line import FLYBALL, SLO_TEXT
from benchmarks.report import Figure, progress, show
from flyball.demo import servers

SLOS: Final = 50
EDITS: Final = 9
LIMIT_SECONDS: Final = 10
_PATIENCE_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.05


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workspace, rules = folder / "workspace", folder / "rules"
        workspace.mkdir()
        for number in range(SLOS):
            _save(workspace, number, "0.999")
        globs = [str(rules / "current" / "*.yaml")]
        with servers.prometheus(folder / "prometheus", rule_globs=globs) as engine, _up(workspace, rules, engine.url):
            _wait(engine.url, SLOS - 1, "0.999")
            took = [_edit(workspace, engine.url, number) for number in range(EDITS)]
    figures = [
        Figure("slowest of nine edits", max(took), "s", LIMIT_SECONDS, detail=f"one of {SLOS} SLOs each"),
        Figure("… the middle one", median(took), "s"),
    ]
    show("Edit to live: from saving a file to the rule running in Prometheus", figures)


def _edit(workspace: Path, prometheus_url: str, number: int) -> float:
    time.sleep(0.37 * number)  # to meet the two-second turns of `flyball up` at any phase
    began = time.monotonic()
    _save(workspace, number, "0.995")
    _wait(prometheus_url, number, "0.995")
    progress(f"edit {number + 1} of {EDITS}: {time.monotonic() - began:.1f} s")
    return time.monotonic() - began


def _save(workspace: Path, number: int, target: str) -> None:
    text = SLO_TEXT.format(name=f"slo-{number:02d}", team="shop").replace("target: 0.999", f"target: {target}")
    (workspace / f"slo-{number:02d}.yaml").write_text(text)


def _wait(prometheus_url: str, number: int, target: str) -> None:
    """Until Prometheus runs the rule that says this SLO's objective."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _runs(prometheus_url, f"slo-{number:02d}", target):
        if time.monotonic() > deadline:
            raise TimeoutError(f"slo-{number:02d} did not come to run with {target} in {_PATIENCE_SECONDS} s")
        time.sleep(_POLL_SECONDS)


def _runs(prometheus_url: str, slo: str, target: str) -> bool:
    answer = httpx.get(f"{prometheus_url}/api/v1/rules", params={"type": "record"}, timeout=_PATIENCE_SECONDS)
    return any(
        rule.get("labels", {}).get("slo") == slo and rule["query"] == f"vector({target})"
        for group in answer.json()["data"]["groups"]
        for rule in group["rules"]
    )


@contextmanager
def _up(workspace: Path, rules: Path, prometheus_url: str) -> Iterator[None]:
    settings = {
        "FLYBALL_PROMETHEUS_URL": prometheus_url,
        "FLYBALL_RULES_DIRECTORY": str(rules),
        "FLYBALL_LISTEN": "127.0.0.1:0",
    }
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("FLYBALL_")}
    child = subprocess.Popen(
        [FLYBALL, "up", str(workspace)],
        env=inherited | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        servers.stop(child)
