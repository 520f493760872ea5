"""A month of 50 services with a known truth: traffic seasons, pods that restart and churn, gaps, about 200 incidents.

Everything follows from the seed. Counters are born at zero with their pod, as client libraries that declare their
label values do. The truth counts the events of every step that was scraped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

STEP_SECONDS: Final = 30
STEPS_A_DAY: Final = 86_400 // STEP_SECONDS
DAYS: Final = 30
STEPS: Final = DAYS * STEPS_A_DAY
PODS: Final = 5
CODES: Final = ("200", "404", "500", "503")
BAD_CODES: Final = (2, 3)
GAP_STEPS: Final = 7_200 // STEP_SECONDS

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Incident:
    """A stretch of errors: `ratio` of all events fail from step `start` (included) to `end` (excluded)."""

    start: int
    end: int
    ratio: float


@dataclass(frozen=True, slots=True)
class ServiceMonth:
    """One service: `series` are (labels, values) with NaN where no sample was scraped; `good` and `bad` the truth."""

    name: str
    requests_per_second: float
    budget_ratio: float
    incidents: tuple[Incident, ...]
    gap: tuple[int, int] | None
    series: tuple[tuple[dict[str, str], NDArray[np.float64]], ...]
    total: Counts
    bad: Counts

    def budget_spent(self, start: int = 0, end: int = STEPS) -> float:
        """Share of the budget that [start, end) spent, gaps left out."""
        observed = self.observed()
        bad = self.bad[start:end][observed[start:end]].sum()
        return float(bad / (self.budget_ratio * self.total[observed].sum()))

    def observed(self) -> NDArray[np.bool_]:
        """Which steps were scraped."""
        seen = np.ones(STEPS, dtype=bool)
        if self.gap:
            seen[self.gap[0] : self.gap[1]] = False
        return seen


def service_months(count: int, seed: int = 20) -> Iterator[ServiceMonth]:
    """`count` services, one at a time: a month of one is some 14 MB."""
    for index in range(count):
        yield _service_month(f"service-{index:02d}", np.random.default_rng([seed, index]), has_gap=index % 3 == 0)


def _service_month(name: str, rng: np.random.Generator, *, has_gap: bool) -> ServiceMonth:
    mean = float(10 ** rng.uniform(-1.7, 2.3))  # 70 an hour to 200 a second: most fleets have both
    budget = float(rng.choice([0.01, 0.005, 0.001]))
    rate = mean * _seasons(rng)
    incidents = _incidents(rng, budget)
    ratio = np.full(STEPS, budget * rng.uniform(0.05, 0.4))
    for incident in incidents:
        ratio[incident.start : incident.end] = np.maximum(ratio[incident.start : incident.end], incident.ratio)
    start = int(rng.integers(STEPS // 4, STEPS // 2)) if has_gap else 0
    gap = (start, start + GAP_STEPS) if has_gap else None
    events = _events(rng, rate, ratio)
    series = tuple(_scraped(name, rng, events, gap))
    total = events.sum(axis=(0, 1))
    bad = events[:, BAD_CODES, :].sum(axis=(0, 1))
    return ServiceMonth(name, mean, budget, incidents, gap, series, total, bad)


def _seasons(rng: np.random.Generator) -> NDArray[np.float64]:
    day = np.arange(STEPS) / STEPS_A_DAY
    depth = rng.uniform(0.1, 0.8)
    weekend = np.where(day % 7 >= 5, rng.uniform(0.4, 1.0), 1.0)
    shape: NDArray[np.float64] = (1 + depth * np.sin(2 * np.pi * (day + rng.uniform()))) * weekend
    return shape / shape.mean()


def _incidents(rng: np.random.Generator, budget: float) -> tuple[Incident, ...]:
    """About four a month: from a short outage to hours at a few times the budget."""
    found = []
    for _ in range(int(rng.integers(2, 7))):
        minutes = float(np.exp(rng.uniform(np.log(2), np.log(600))))
        ratio = min(1.0, budget * float(np.exp(rng.uniform(np.log(2), np.log(800)))) * (20 / minutes) ** 0.5)
        start = int(rng.integers(STEPS_A_DAY, STEPS - 2 * STEPS_A_DAY))
        found.append(Incident(start, start + max(1, round(minutes * 60 / STEP_SECONDS)), ratio))
    return tuple(sorted(found, key=lambda incident: incident.start))


def _events(rng: np.random.Generator, rate: NDArray[np.float64], ratio: NDArray[np.float64]) -> Counts:
    """Events per (pod, code, step)."""
    per_pod = rate * STEP_SECONDS / PODS
    shares = np.stack([(1 - ratio) * 0.97, (1 - ratio) * 0.03, ratio * 0.7, ratio * 0.3])
    return rng.poisson(per_pod * shares, size=(PODS, len(CODES), STEPS)).astype(np.int64)


def _scraped(
    name: str, rng: np.random.Generator, events: Counts, gap: tuple[int, int] | None
) -> Iterator[tuple[dict[str, str], NDArray[np.float64]]]:
    """Counters as Prometheus would see them: a pod restarts now and then, and is replaced now and then."""
    for pod in range(PODS):
        births = sorted({0, *map(int, rng.integers(1, STEPS, size=int(rng.integers(2, 6))))})
        replaced = [False, *(bool(rng.random() < 0.5) for _ in births[1:])]
        generation = np.cumsum(replaced)
        for life in range(int(generation[-1]) + 1):
            starts = [birth for birth, of in zip(births, generation, strict=True) if of == life]
            later = [birth for birth, of in zip(births, generation, strict=True) if of > life]
            end = later[0] if later else STEPS
            for code, status in enumerate(CODES):
                values = np.full(STEPS, np.nan)
                for start, stop in zip(starts, [*starts[1:], end], strict=True):
                    values[start:stop] = np.cumsum(events[pod, code, start:stop])
                if gap:
                    values[gap[0] : gap[1]] = np.nan
                yield {"__name__": "http_requests_total", "job": name, "pod": f"p{pod}-{life}", "code": status}, values


def drills() -> Iterator[ServiceMonth]:
    """Services with steady traffic and one clean incident each, for the time to the page."""
    for ratio in (1.0, 0.5, 0.1, 0.02, 0.01):
        start = (DAYS - 2) * STEPS_A_DAY
        incident = Incident(start, start + STEPS_A_DAY // 2, ratio)
        errors = np.zeros(STEPS)
        errors[incident.start : incident.end] = ratio
        rng = np.random.default_rng(7)
        name = f"drill-{ratio:g}".replace(".", "-")
        events = _events(rng, np.full(STEPS, 50.0), errors)
        series = tuple(_scraped(name, rng, events, None))
        total, bad = events.sum(axis=(0, 1)), events[:, BAD_CODES, :].sum(axis=(0, 1))
        yield ServiceMonth(name, 50.0, 0.001, (incident,), None, series, total, bad)
