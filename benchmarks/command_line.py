"""How long the command line takes: one SLO from start to exit, and 10,000 SLOs compiled."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import Figure, show

MANY: Final = 10_000
A_FILE: Final = 100
FLYBALL: Final = str(Path(sys.executable).with_name("flyball"))

SLO_TEXT: Final = """apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  annotations:
    flyball.dev/owner: team-{team}
    flyball.dev/runbook-url: https://runbooks.example.com/{name}
spec:
  description: Requests of {name} that do not end in a server error.
  service: service-{team}
  indicator:
    metadata:
      name: {name}-availability
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total{{job="{name}",code=~"5.."}}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: http_requests_total{{job="{name}"}}
  timeWindow:
    - duration: 30d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: availability
      target: 0.999
"""


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("Command line: start-up and compilation", [*_one(folder / "one"), *_many(folder)])


def _one(folder: Path) -> list[Figure]:
    folder.mkdir()
    (folder / "slo.yaml").write_text(SLO_TEXT.format(name="checkout", team="shop"))
    bare = median(_seconds([sys.executable, "-c", "pass"]) for _ in range(7))
    took = median(_seconds([FLYBALL, "check", str(folder)]) for _ in range(7))
    return [
        Figure("flyball check on one SLO", took, "s", 0.5),
        Figure("… against an empty Python", took / bare, "times"),
    ]


def _many(folder: Path) -> list[Figure]:
    source, target = folder / "many", folder / "out"
    source.mkdir()
    for first in range(0, MANY, A_FILE):
        texts = (SLO_TEXT.format(name=f"slo-{n:05d}", team=f"t{n % 97}") for n in range(first, first + A_FILE))
        (source / f"slos-{first:05d}.yaml").write_text("---\n".join(texts))
    took = _seconds([FLYBALL, "compile", str(source), "-o", str(target)])
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    written = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    return [
        Figure(f"flyball compile, {MANY} SLOs", MANY / took, "SLO/s", 1500, at_most=False, detail=f"{took:.1f} s"),
        Figure("… largest process", memory, "GiB", 1, detail=f"{written:.0f} MB of rules"),
    ]


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began
