"""When a converted file alerts, beside the rules that Sloth and Pyrra generate from the same file, on the same series.

Theirs are written here as their programs write them (Sloth: examples/_gen; Pyrra: slo/rules.go): a ratio of rates over
the raw series for each window, compared with factor × budget, Pyrra's with `for`. They are evaluated each minute as if
recorded and read at once, which is the soonest they can be. Ours are the compiled rules of the files after
`flyball slo convert --alerts burn-rate`, evaluated rule by rule.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.prometheus_data import Backend, Result
from benchmarks.replay import replay
from benchmarks.report import Figure, progress, show
from controlplane.model.alerting import AlertMethod
from controlplane.model.slo import SLO
from controlplane.specfile import SourceFile, read
from flyball.converting import ConvertOptions, convert
from flyball.demo import servers
from flyball.kinds import KINDS
from slo.compiler import CompileOptions, compile_rules
from slo.resolve import slos_from

RATIOS: Final = (1.0, 0.5, 0.1, 0.02, 0.01)
STEP: Final = 30
MINUTE: Final = 60
DAY: Final = 86_400
BEFORE: Final = 4 * DAY + 3_600  # of quiet, so that the longest window holds no errors
INCIDENT: Final = DAY
REQUESTS_PER_SECOND: Final = 50.0
OBJECTIVE: Final = "99.9"
BUDGET: Final = "(1 - 0.999)"


@dataclass(frozen=True, slots=True)
class Tier:
    """One condition of another tool's: windows, factor, and `for` in seconds."""

    short: str
    long: str
    factor: str
    hold: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A file of another tool's, and the conditions that it makes of it, by the severity of our alert."""

    tool: str
    text: str
    tiers: dict[str, tuple[Tier, ...]]


def run() -> None:
    """Measure and print."""
    show("Parity: seconds after those of Sloth and Pyrra", figures())


def figures(ratios: Sequence[float] = RATIOS) -> list[Figure]:
    """One for each tool, share of errors and severity; ours may be sooner (negative)."""
    start = int(time.time()) // 3600 * 3600 - BEFORE - INCIDENT - 3600
    with tempfile.TemporaryDirectory() as folder, servers.prometheus(Path(folder), out_of_order="40d") as server:
        backend = Backend(server.url)
        for ratio in ratios:
            _write(backend, ratio, start)
        return [
            figure for ratio in ratios for case in cases(ratio) for figure in _compared(backend, case, ratio, start)
        ]


def cases(ratio: float) -> Iterator[Case]:
    """The files of a drill."""
    job = _job(ratio)
    sloth = {
        "page": (Tier("5m", "1h", "14.4"), Tier("30m", "6h", "6")),
        "ticket": (Tier("2h", "1d", "3"), Tier("6h", "3d", "1")),
    }
    yield Case("Sloth", _sloth_file("monthly", job), sloth)
    shorter = {
        "page": (Tier("5m", "1h", "13.44"), Tier("30m", "6h", "5.6")),
        "ticket": (Tier("2h", "1d", "2.8"), Tier("6h", "3d", f"{0.1 * 28 / 3:.17g}")),
    }
    yield Case("Sloth 28d", f"{_sloth_file('four-weekly', job)}---\n{_WINDOWS_28D}", shorter)
    pyrra = {
        "page": (Tier("5m", "1h", "14", 120), Tier("30m", "6h", "7", 900)),
        "ticket": (Tier("2h", "1d", "2", 3_600), Tier("6h", "4d", "1", 10_800)),
    }
    yield Case("Pyrra", _pyrra_file(job), pyrra)


def converted(text: str) -> tuple[SLO, ...]:
    """The SLOs of a file after `flyball slo convert --alerts burn-rate`."""
    conversion = convert([SourceFile("drill.yaml", text.encode())], ConvertOptions(AlertMethod.BURN_RATE))
    if any(problem.severity.value == "error" for problem in conversion.problems):
        raise RuntimeError(str(conversion.problems))
    files = [SourceFile(path, content) for path, content in conversion.texts.items()]
    return slos_from(read(files, KINDS).documents).slos


def _compared(backend: Backend, case: Case, ratio: float, start: int) -> Iterator[Figure]:
    progress(f"{case.tool} at {ratio:.0%} errors")
    begin, end = start + BEFORE, start + BEFORE + INCIDENT
    slos = converted(case.text)
    groups = [group for file in compile_rules(slos, CompileOptions()) for group in file.groups]
    recorded = replay(backend, groups, start, end)
    for severity, tiers in case.tiers.items():
        held = {tier.hold for tier in tiers}
        theirs = min(
            _first(backend.range(_condition(tier, ratio), begin, end, MINUTE), begin, tier.hold) for tier in tiers
        )
        fired = recorded.get(f"ALERTS-{severity}", ())
        ours = min((_first([each], begin, _hold(each, slos, held)) for each in fired), default=float("inf"))
        late = 0.0 if ours == theirs else ours - theirs
        limit = min(held) or MINUTE
        detail = f"theirs after {theirs:g} s, ours after {ours:g} s"
        yield Figure(f"{case.tool}, {severity} at {ratio:.0%} errors", late, "s", limit, detail=detail)


def _hold(result: Result, slos: Sequence[SLO], held: set[int]) -> int:
    """How long an alert of ours must last: the hold of the tiers that its label names."""
    if held == {0}:
        return 0
    names = result.labels.get("tier", "").split("_")
    return max(
        int(tier.hold.total_seconds())
        for slo in slos
        for tier in slo.alerting.tiers
        if any(name.endswith(f"-{_short_name(tier.long.total_seconds())}") for name in names)
    )


def _short_name(seconds: float) -> str:
    return f"{seconds / DAY:g}d" if seconds % DAY == 0 else f"{seconds / 3600:g}h"


def _first(results: Sequence[Result], begin: int, hold: int) -> float:
    """Seconds from the incident's begin until a condition has held for `hold` seconds, evaluated each minute."""
    best = float("inf")
    for result in results:
        times = result.times[result.times > begin]
        since: float | None = None
        before = -np.inf
        for at in times:
            since = at if since is None or at - before > MINUTE else since
            before = at
            if at - since >= hold:
                best = min(best, float(at - begin))
                break
    return best


def _condition(tier: Tier, ratio: float) -> str:
    def over(window: str) -> str:
        job = _job(ratio)
        errors = f'sum(rate(http_requests_total{{job="{job}",code=~"5.."}}[{window}]))'
        total = f'sum(rate(http_requests_total{{job="{job}"}}[{window}]))'
        return f"{errors} / {total} > ({tier.factor} * {BUDGET})"

    return f"{over(tier.short)} and {over(tier.long)}"


def _job(ratio: float) -> str:
    return f"drill-{ratio:g}".replace(".", "-")


def _write(backend: Backend, ratio: float, start: int) -> None:
    steps = (BEFORE + INCIDENT) // STEP
    errors = np.zeros(steps)
    errors[BEFORE // STEP :] = ratio
    rng = np.random.default_rng(11)
    times = start + STEP * np.arange(1, steps + 1, dtype=np.float64)
    per_step = REQUESTS_PER_SECOND * STEP
    columns: list[tuple[dict[str, str], NDArray[np.float64]]] = [
        ({"code": "200"}, np.cumsum(rng.poisson(per_step * (1 - errors))).astype(np.float64)),
        ({"code": "500"}, np.cumsum(rng.poisson(per_step * errors)).astype(np.float64)),
    ]
    backend.write(
        ({"__name__": "http_requests_total", "job": _job(ratio), **labels}, times, values) for labels, values in columns
    )


def _sloth_file(service: str, job: str) -> str:
    return f"""version: prometheus/v1
service: {service}
slos:
- name: {job}
  objective: {OBJECTIVE}
  sli:
    events:
      error_query: sum(rate(http_requests_total{{job="{job}",code=~"5.."}}[{{{{.window}}}}]))
      total_query: sum(rate(http_requests_total{{job="{job}"}}[{{{{.window}}}}]))
  alerting:
    name: Drill
"""


def _pyrra_file(job: str) -> str:
    return f"""apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: {job}-errors
spec:
  target: "{OBJECTIVE}"
  window: 28d
  indicator:
    ratio:
      errors:
        metric: http_requests_total{{job="{job}",code=~"5.."}}
      total:
        metric: http_requests_total{{job="{job}"}}
"""


_WINDOWS_28D: Final = """apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 28d
  page:
    quick: {errorBudgetPercent: 2, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 10, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 10, shortWindow: 6h, longWindow: 3d}
"""
