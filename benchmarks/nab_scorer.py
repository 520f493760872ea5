"""A program, run with NAB's checkout on PYTHONPATH: NAB's own optimizer, scorer and normalisation, nothing patched.

`nab_scorer.py CHECKOUT RESULTS OUT`: RESULTS holds folders `flyball` and `null` in NAB's format; OUT gets JSON.
`nab.labeler` alone is not used: it writes into what pandas 3 gives read-only. Its two tables, windows of each file and
the timestamps in it, are read here.

Besides, thresholds are chosen on random halves of the files and scored on the others by NAB's own sweeper.
"""

import json
import random
import sys
from pathlib import Path

NAME = "flyball"
SPLITS = 12
SEED = 2026


class Labels:
    """What the runner asks of its labels: windows, and timestamps, by file."""

    def __init__(self, data: Path, windows: Path) -> None:
        from pandas import Timestamp, read_csv

        told = json.loads(windows.read_text())
        self.windows = {name: [[Timestamp(end) for end in each] for each in ends] for name, ends in told.items()}
        self.labels = {name: read_csv(data / name, usecols=["timestamp"], parse_dates=[0]) for name in told}


def main(checkout: Path, results: Path, out: Path) -> None:
    """Score, and write what came of it."""
    from nab.runner import Runner

    labels = checkout / "labels" / "combined_windows.json"
    runner = Runner(
        str(checkout / "data"),
        str(results),
        str(labels),
        str(checkout / "config" / "profiles.json"),
        str(results / "thresholds.json"),
        2,
    )
    runner.profiles = json.loads((checkout / "config" / "profiles.json").read_text())
    runner.corpusLabel = Labels(checkout / "data", labels)
    thresholds = runner.optimize([NAME])
    runner.score([NAME], thresholds)
    runner.normalize()
    scores = json.loads((results / "final_results.json").read_text())[NAME]
    found = {
        "scores": scores,
        "thresholds": {profile: each["threshold"] for profile, each in thresholds[NAME].items()},
        "halves": _halves(runner, results),
    }
    out.write_text(json.dumps(found))


def _halves(runner, results: Path) -> list[float]:  # type: ignore[no-untyped-def]
    """The standard score of one half of the files, by the threshold that is best on the other."""
    from nab.corpus import Corpus
    from nab.sweeper import Sweeper

    sweeper = Sweeper(probationPercent=runner.probationaryPercent, costMatrix=runner.profiles["standard"]["CostMatrix"])
    rows = {}
    for path, data in Corpus(str(results / NAME)).dataFiles.items():
        if "_scores.csv" in path:
            continue
        name = str(Path(path).with_name(Path(path).name.removeprefix(f"{NAME}_")))
        labels = runner.corpusLabel.labels[name]["timestamp"]
        windows = runner.corpusLabel.windows[name]
        rows[name] = (sweeper.calcSweepScore(labels, data.data["anomaly_score"], windows, name), len(windows))
    found = []
    choice = random.Random(SEED)
    for _ in range(SPLITS):
        names = sorted(rows)
        choice.shuffle(names)
        half = len(names) // 2
        best = max(_curve(sweeper, rows, names[:half]), key=lambda each: each.score)
        curve = sorted(_curve(sweeper, rows, names[half:]), key=lambda each: -each.threshold)
        scored = [each for each in curve if each.threshold >= best.threshold][-1]
        windows = sum(rows[name][1] for name in names[half:])
        found.append(100 * (scored.score + windows) / (2 * windows))
    return found


def _curve(sweeper, rows, names):  # type: ignore[no-untyped-def]
    return sweeper.calcScoreByThreshold([row for name in names for row in rows[name][0]])


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
