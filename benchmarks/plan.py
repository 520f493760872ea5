"""`flyball plan` in a fresh process after an edit of one file among 10,000 SLOs that a real Prometheus runs."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from benchmarks.command_line import A_FILE, SLO_TEXT, took_of
from benchmarks.report import Figure, progress, show
from flyball.demo import servers

MANY: Final = 10_000
LIMIT_SECONDS: Final = 1
_RUNS: Final = 5
_ROOT: Final = Path(__file__).resolve().parent.parent
_FLYBALL: Final = [sys.executable, "-m", "flyball"]
_YOUNG_SECONDS: Final = 2.2  # files saved a moment ago are read again


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = [*_planned(folder / "hundreds", A_FILE), *_planned(folder / "single", 1)]
        show("Plan: one edit among 10,000 SLOs", figures)


def _planned(folder: Path, a_file: int) -> list[Figure]:
    workspace, rules = folder / "workspace", folder / "rules"
    _write(workspace, a_file)
    environment = {"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    with servers.prometheus(folder / "prometheus", rule_globs=[str(rules / "current" / "*.yaml")]) as engine:
        options = [str(workspace), "--prometheus", engine.url, "--rules-directory", str(rules)]
        progress(f"applying {MANY:,} SLOs in files of {a_file}")
        subprocess.run(
            [*_FLYBALL, "apply", *options], check=True, env=environment, cwd=_ROOT, stdout=subprocess.DEVNULL
        )
        _until_the_marker_is_evaluated(engine.url)
        first = took_of(lambda: _plan(options, environment, 0))
        taken = [
            _edited(workspace, options, environment, target) for target in ("0.99", "0.98", "0.97", "0.96", "0.95")
        ]
    seconds, processor = (median(each) for each in zip(*taken, strict=True))
    shutil.rmtree(folder)
    return [
        Figure(
            f"flyball plan, one of {MANY} SLOs edited, {a_file} in a file",
            seconds,
            "s",
            LIMIT_SECONDS,
            detail=f"{processor:.2f} s of processor time; median of {_RUNS}",
        ),
        Figure("… the first time, everything read", first[0], "s", detail=f"{first[1]:.1f} s of processor time"),
    ]


def _edited(workspace: Path, options: list[str], environment: dict[str, str], target: str) -> tuple[float, float]:
    path = sorted(workspace.glob("*.yaml"))[len(list(workspace.glob("*.yaml"))) // 2]
    first, rest = path.read_text().split("      target: ", 1)
    path.write_text(f"{first}      target: {target}\n{rest.partition(chr(10))[2]}")
    time.sleep(_YOUNG_SECONDS)
    return took_of(lambda: _plan(options, environment, 1))


def _plan(options: list[str], environment: dict[str, str], changes: int) -> None:
    command = [*_FLYBALL, "plan", *options, "--json"]
    done = subprocess.run(command, env=environment, cwd=_ROOT, stdout=subprocess.PIPE, check=False)
    answer: Any = json.loads(done.stdout)
    if len(answer["slos"]) != changes or done.returncode != (2 if changes else 0) or answer["notAsked"]:
        raise RuntimeError(f"not the plan that was expected: {answer}")


def _until_the_marker_is_evaluated(url: str) -> None:
    progress("waiting until Prometheus has evaluated the rules once")
    while "generation" not in _text_at(f"{url}/api/v1/query?query=flyball_rules_generation_info"):
        time.sleep(1)


def _text_at(url: str) -> str:
    """The text at a URL."""
    return httpx.get(url).text


def _write(folder: Path, a_file: int) -> None:
    folder.mkdir(parents=True)
    for first in range(0, MANY, a_file):
        texts = (SLO_TEXT.format(name=f"slo-{n:05d}", team=f"t{n % 97}") for n in range(first, first + a_file))
        (folder / f"slos-{first:05d}.yaml").write_text("---\n".join(texts))
