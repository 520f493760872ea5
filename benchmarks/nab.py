"""The Numenta Anomaly Benchmark: all of its 58 files, one frozen configuration, and NAB's own scorer.

NAB's data and code are no part of this repository. Fetch them by hand, and say where they are:

    git clone --depth 1 https://github.com/numenta/NAB /somewhere/NAB
    NAB=/somewhere/NAB python -m benchmarks nab

Its package runs in a child process, with the checkout on PYTHONPATH and nothing patched. `sustained` is what is
submitted; `point` is printed beside it.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alerts.anomaly.detector.emission import rising
from alerts.anomaly.detector.history import score_history
from alerts.anomaly.detector.model import Floats, Grid, Panel, Scores, Terms
from alerts.anomaly.detector.settings import REFRACTORY_SHARE, steps_a_day
from alerts.anomaly.detector.utc import plain_phases
from benchmarks.report import Figure, progress, show

WHERE: Final = "NAB"
OUTPUTS: Final = ("sustained", "point")
LIMITS: Final = {"standard": 68.0, "reward_low_FP_rate": 62.0}
HALVES_LIMIT: Final = 65.0
CUTS: Final = (0.37, 0.81)
"""Of a file: prefixes that are scored by themselves, and compared."""
_HOW: Final = (
    "this benchmark needs a checkout of github.com/numenta/NAB: "
    "git clone --depth 1 https://github.com/numenta/NAB PATH, then NAB=PATH python -m benchmarks nab"
)


@dataclass(frozen=True, slots=True)
class File:
    """A file of NAB on a grid: `slots` is the step of each row; the first row of a step is its sample."""

    name: str
    rows: list[list[str]]
    grid: Grid
    slots: NDArray[np.int64]
    values: Floats  # (1, T)


@dataclass(frozen=True, slots=True)
class Scored:
    """What is submitted of a file, by output, and whether its prefixes were scored alike."""

    name: str
    submitted: dict[str, list[float]]
    causal: bool


def run() -> None:
    """Score, print, keep. Says how to get NAB where it is missing: an error only if nothing else was asked for."""
    checkout = Path(os.environ.get(WHERE, "")).expanduser()
    if not os.environ.get(WHERE) or not (checkout / "nab" / "runner.py").is_file():
        if sys.argv[1:] == ["nab"]:
            sys.exit(_HOW)
        print(_HOW, file=sys.stderr)
        return
    names = sorted(json.loads((checkout / "labels" / "combined_windows.json").read_text()))
    with ProcessPoolExecutor(2) as pool:
        scored = list(pool.map(_scored, [str(checkout)] * len(names), names))
    progress(f"{len(names)} files scored; now NAB's own scorer")
    results = {output: _by_nab(checkout, scored, output) for output in OUTPUTS}
    show("nab: Numenta Anomaly Benchmark", list(_figures(checkout, scored, results)))


def read(path: Path, name: str) -> File:
    """Rows on the grid of their median distance, in whole minutes from the first on."""
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    times = np.array([datetime.fromisoformat(row[0]).replace(tzinfo=UTC).timestamp() for row in rows])
    seconds = max(60, round(float(np.median(np.diff(times))) / 60) * 60)
    slots = np.maximum.accumulate(np.rint((times - times[0]) / seconds).astype(np.int64))
    values = np.full((1, int(slots[-1]) + 1), np.nan, dtype=np.float32)
    values[0, slots[::-1]] = [float(row[1]) for row in reversed(rows)]
    return File(name, rows, Grid(0, timedelta(seconds=seconds), values.shape[1]), slots, values)


def _scored(checkout: str, name: str) -> Scored:
    file = read(Path(checkout) / "data" / name, name)
    whole = _scores(file, file.values.shape[1])
    causal = all(_prefix_is_alike(file, whole, int(file.values.shape[1] * cut)) for cut in CUTS)
    refractory = round(REFRACTORY_SHARE * steps_a_day(file.grid.step))
    first = np.append(True, np.diff(file.slots) > 0)
    submitted = {}
    for output in OUTPUTS:
        loud = rising(getattr(whole, output), refractory)[0][file.slots]
        # NAB wants scores in 0 … 1; x ÷ (1 + x) keeps their order
        submitted[output] = [float(score / (1 + score)) for score in np.where(first, loud, 0).astype(np.float64)]
    return Scored(name, submitted, causal)


def _scores(file: File, count: int) -> Scores:
    grid = Grid(0, file.grid.step, count)
    return score_history(Panel(file.values[:, :count], grid, plain_phases(grid)), Terms())


def _prefix_is_alike(file: File, whole: Scores, count: int) -> bool:
    part = _scores(file, count)
    return all(
        np.array_equal(getattr(part, each.name), getattr(whole, each.name)[:, :count], equal_nan=True)
        for each in fields(Scores)
    )


def _by_nab(checkout: Path, scored: Sequence[Scored], output: str) -> dict[str, object]:
    """NAB's own word on one output, from a folder of results in its format."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results"
        shutil.copytree(checkout / "results" / "null", results / "null")
        for each in scored:
            _write(checkout, results, each, output)
        for name in ("thresholds.json", "final_results.json"):
            (results / name).write_text("{}")
        out = Path(folder) / "out.json"
        child = Path(__file__).with_name("nab_scorer.py")
        environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-P", str(child), str(checkout), str(results), str(out)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"NAB's scorer failed: {done.stderr.strip().splitlines()[-1] if done.stderr else done.returncode}")
        found: dict[str, object] = json.loads(out.read_text())
        return found


def _write(checkout: Path, results: Path, scored: Scored, output: str) -> None:
    file = read(checkout / "data" / scored.name, scored.name)
    path = results / "flyball" / Path(scored.name).with_name(f"flyball_{Path(scored.name).name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["timestamp", "value", "anomaly_score", "label"])
        for row, score in zip(file.rows, scored.submitted[output], strict=True):
            writer.writerow([row[0], row[1], repr(score), 0])


def _figures(checkout: Path, scored: Sequence[Scored], results: dict[str, dict[str, object]]) -> Iterator[Figure]:
    for output, found in results.items():
        scores, thresholds, halves = found["scores"], found["thresholds"], found["halves"]
        assert isinstance(scores, dict)
        assert isinstance(thresholds, dict)
        assert isinstance(halves, list)
        for profile, score in sorted(scores.items(), reverse=True):
            limit = LIMITS.get(profile) if output == OUTPUTS[0] else None
            share = thresholds[profile]
            detail = f"best threshold {share / (1 - share):.3f}"
            yield Figure(f"{output}: {profile}", score, "", limit, at_most=False, detail=detail)
        spread = f"12 splits, {min(halves):.1f} … {max(halves):.1f}"
        limit = HALVES_LIMIT if output == OUTPUTS[0] else None
        name = f"{output}: threshold of one half, scored on the other"
        yield Figure(name, float(np.mean(halves)), "", limit, at_most=False, detail=spread)
    causal = sum(each.causal for each in scored)
    yield Figure("files whose prefixes are scored alike", causal, f"of {len(scored)}", len(scored), at_most=False)
    peers = json.loads((checkout / "results" / "final_results.json").read_text())
    for name, each in sorted(peers.items(), key=lambda pair: -pair[1]["standard"]):
        low_fp, low_fn = each["reward_low_FP_rate"], each["reward_low_FN_rate"]
        detail = f"low-FP {low_fp:.1f}, low-FN {low_fn:.1f} (published)"
        yield Figure(f"peer: {name}", each["standard"], "", detail=detail)
