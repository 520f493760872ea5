"""How long the command line takes: one SLO from start to exit, and 10,000 SLOs compiled."""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
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


SLOTH_TEXT: Final = """version: prometheus/v1
service: service-{team}
labels:
  owner: team-{team}
slos:
- name: {name}
  objective: 99.9
  description: Requests of {name} that do not end in a server error.
  sli:
    events:
      error_query: sum(rate(http_requests_total{{job="{name}",code=~"5.."}}[{{{{.window}}}}]))
      total_query: sum(rate(http_requests_total{{job="{name}"}}[{{{{.window}}}}]))
  alerting:
    name: HighErrorRate
    labels:
      category: availability
    page_alert:
      labels:
        routing_key: team-{team}
    ticket_alert:
      labels:
        slack_channel: alerts-{team}
"""
PYRRA_TEXT: Final = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: {name}
  namespace: monitoring
  labels:
    prometheus: k8s
    pyrra.dev/team: team-{team}
spec:
  target: "99.9"
  window: 4w
  description: Requests of {name} that do not end in a server error.
  indicator:
    ratio:
      errors:
        metric: http_requests_total{{job="{name}",code=~"5.."}}
      total:
        metric: http_requests_total{{job="{name}"}}
"""
V2ALPHA_TEXT: Final = """apiVersion: openslo.com/v2alpha
kind: SLO
metadata:
  name: {name}
  labels:
    team: team-{team}
  annotations:
    flyball.dev/owner: team-{team}
    flyball.dev/runbook-url: https://runbooks.example.com/{name}
spec:
  description: Requests of {name} that do not end in a server error.
  service: service-{team}
  sli:
    metadata:
      name: {name}-availability
    spec:
      ratioMetric:
        counter: true
        bad:
          dataSourceSpec:
            type: prometheus
          spec:
            query: http_requests_total{{job="{name}",code=~"5.."}}
        total:
          dataSourceSpec:
            type: prometheus
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
V1ALPHA_TEXT: Final = """apiVersion: openslo/v1alpha
kind: SLO
metadata:
  name: {name}
  displayName: Availability of {name}
spec:
  description: Requests of {name} that do not end in a server error.
  service: service-{team}
  timeWindows:
    - unit: Day
      count: 30
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: availability
      target: 0.999
      ratioMetrics:
        incremental: true
        good:
          source: prometheus
          queryType: promql
          query: http_requests_total{{job="{name}",code!~"5.."}}
        total:
          source: prometheus
          queryType: promql
          query: http_requests_total{{job="{name}"}}
"""
SERVICE_LEVEL_TEXT: Final = """apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata:
  name: {name}
  namespace: monitoring
spec:
  service: service-{team}
  labels:
    owner: team-{team}
  slos:
    - name: {name}
      objective: 99.9
      description: Requests of {name} that do not end in a server error.
      sli:
        events:
          errorQuery: sum(rate(http_requests_total{{job="{name}",code=~"5.."}}[{{{{.window}}}}]))
          totalQuery: sum(rate(http_requests_total{{job="{name}"}}[{{{{.window}}}}]))
      alerting:
        name: HighErrorRate
        labels:
          category: availability
        pageAlert:
          labels:
            routing_key: team-{team}
        ticketAlert:
          labels:
            slack_channel: alerts-{team}
"""
DIALECTS: Final = {
    "OpenSLO": SLO_TEXT,
    "OpenSLO v2alpha": V2ALPHA_TEXT,
    "OpenSLO v1alpha": V1ALPHA_TEXT,
    "Sloth": SLOTH_TEXT,
    "Sloth's PrometheusServiceLevel": SERVICE_LEVEL_TEXT,
    "Pyrra": PYRRA_TEXT,
    "OpenSLO by tenant": SLO_TEXT.replace("  annotations:\n", "  annotations:\n    flyball.dev/group-by: tenant\n", 1),
}
# Budgets by label have rules of their own, each SLO a file: 200 MB of them.
IN_FILES_OF_THEIR_OWN: Final = ("OpenSLO by tenant",)


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = [*_one(folder / "one"), *(each for dialect in DIALECTS for each in _many(folder / dialect, dialect))]
        show("Command line: start-up and compilation", found)


def _one(folder: Path) -> list[Figure]:
    folder.mkdir()
    (folder / "slo.yaml").write_text(SLO_TEXT.format(name="checkout", team="shop"))
    bare = median(took([sys.executable, "-c", "pass"])[0] for _ in range(7))
    runs = [took([FLYBALL, "check", str(folder)]) for _ in range(7)]
    took_check, processor = (median(each) for each in zip(*runs, strict=True))
    return [
        Figure("flyball check on one SLO", took_check, "s", 0.5, detail=f"{processor:.2f} s of processor time"),
        Figure("… against an empty Python", took_check / bare, "times"),
    ]


def _many(folder: Path, dialect: str) -> list[Figure]:
    folder.mkdir()
    source, target = folder / "many", folder / "out"
    write_workspace(source, MANY, DIALECTS[dialect])
    seconds, processor = took([FLYBALL, "compile", str(source), "-o", str(target)])
    detail = f"{seconds:.1f} s, {processor:.1f} s of processor time"
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    written = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    limit = None if dialect in IN_FILES_OF_THEIR_OWN else 1500
    return [
        Figure(
            f"flyball compile, {MANY} SLOs of {dialect}", MANY / seconds, "SLO/s", limit, at_most=False, detail=detail
        ),
        Figure("… largest process", memory, "GiB", 1, detail=f"{written:.0f} MB of rules"),
    ]


def write_workspace(folder: Path, count: int, text: str = SLO_TEXT) -> None:
    """`count` different SLOs in files of `A_FILE`; `text` with {name} and {team} is one."""
    folder.mkdir()
    for first in range(0, count, A_FILE):
        texts = (text.format(name=f"slo-{n:05d}", team=f"t{n % 97}") for n in range(first, first + A_FILE))
        (folder / f"slos-{first:05d}.yaml").write_text("---\n".join(texts))


def took(command: list[str]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time of the command and its own processes."""

    def run_it() -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    return took_of(run_it)


def took_of(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time of the processes that `work` starts: the latter hardly depends on
    what else the machine does.
    """
    began, before = time.perf_counter(), _processor_seconds()
    work()
    return time.perf_counter() - began, _processor_seconds() - before


def _processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
