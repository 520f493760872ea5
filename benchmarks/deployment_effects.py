"""How often the intervals of deployments' effects hold the truth, and how often they cry wolf, on generated services.

Each service has a week of slots and a deployment at a random moment. What would have happened without it is drawn
first; the deployment then turns some of the good events into bad ones (or makes units dearer), and that is the truth.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure, progress, show
from exporters.dora.effects.estimating import Estimate, Question, Scale, TooLittle, estimate
from exporters.dora.effects.slots import Slots, Window
from exporters.dora.effects.student import student

Floats = NDArray[np.float64]
EACH: Final = 400  # services of every family
_SEED: Final = 20261201
_SLOT: Final = 300
_DAY: Final = 288
_WEEK: Final = 7 * _DAY
_HOUR: Final = 12
_BEGIN: Final = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
_SETTLE: Final = 1
SIZES: Final = {Scale.DIFFERENCE: (0.0, 3.0, 20.0), Scale.QUOTIENT: (0.0, 1.0, 3.0)}
"""What the deployment adds: multiples of the usual ratio of bad events; tenths of the cost."""
LEAST_HELD: Final = 0.93  # of the truths, over all families with a past; 0.95 are promised
NO_PAST: Final = ("two hours old, steady", "two hours old, bursts")
_AT_JOB: Final = "a nightly job, deployed then"


@dataclass(frozen=True, slots=True)
class Course:
    """Slots without a deployment, and in which of them it comes. `part` are bad events, or money."""

    part: Floats
    whole: Floats
    at: int
    usual: float


Family = Callable[[np.random.Generator], Course]


def steady(random: np.random.Generator) -> Course:
    """A busy service whose errors come one by one."""
    return _drawn(random, whole=np.full(_length(), 3000.0), ratio=np.full(_length(), 0.001))


def bursty(random: np.random.Generator) -> Course:
    """Errors come in waves: each slot is like the one before."""
    return _drawn(random, whole=np.full(_length(), 3000.0), ratio=0.001 * _waves(random, 0.9, 0.7))


def daily(random: np.random.Generator) -> Course:
    """Traffic goes with the sun, and so does the share of errors."""
    sun = 1 + 0.8 * np.sin(2 * np.pi * np.arange(_length()) / _DAY)
    return _drawn(random, whole=3000 * sun, ratio=0.001 * sun * _waves(random, 0.8, 0.3))


def nightly_job(random: np.random.Generator) -> Course:
    """A job at the same time every night breaks some requests."""
    slot = np.arange(_length()) % _DAY
    job = np.where((slot >= 24) & (slot < 30), 20.0, 1.0)
    return _drawn(random, whole=np.full(_length(), 2000.0), ratio=0.001 * job * _waves(random, 0.8, 0.3), at_slot=24)


def office(random: np.random.Generator) -> Course:
    """Traffic of working days."""
    slot = np.arange(_length())
    works = ((slot // _DAY) % 7 < 5) & (slot % _DAY > 7 * _HOUR) & (slot % _DAY < 19 * _HOUR)
    return _drawn(random, whole=np.where(works, 2000.0, 60.0), ratio=0.002 * _waves(random, 0.8, 0.4))


def small(random: np.random.Generator) -> Course:
    """A request a minute."""
    return _drawn(random, whole=np.full(_length(), 5.0), ratio=np.full(_length(), 0.01))


def rare(random: np.random.Generator) -> Course:
    """An error in a day or two."""
    return _drawn(random, whole=np.full(_length(), 200.0), ratio=np.full(_length(), 1e-5))


def incidents(random: np.random.Generator) -> Course:
    """Six incidents of other causes in the week."""
    ratio = 0.001 * _waves(random, 0.8, 0.3)
    for start in random.integers(0, _length() - _HOUR, 6):
        ratio[start : start + random.integers(4, 13)] = 0.05
    return _drawn(random, whole=np.full(_length(), 1000.0), ratio=ratio)


def minutes(random: np.random.Generator) -> Course:
    """Time slices: bad minutes that come together."""
    return _drawn(random, whole=np.full(_length(), 5.0), ratio=np.minimum(0.005 * _waves(random, 0.9, 1.2), 1))


def drifting(random: np.random.Generator) -> Course:
    """Very busy, and its level wanders."""
    level = np.exp(np.cumsum(random.normal(0, 0.02, _length())))
    return _drawn(random, whole=np.full(_length(), 100_000.0), ratio=np.minimum(0.0005 * level, 0.5))


def releases(random: np.random.Generator) -> Course:
    """Every few hours the level is another one."""
    steps = np.repeat(np.exp(random.normal(0, 0.8, _length() // 60 + 1)), 60)[: _length()]
    return _drawn(random, whole=np.full(_length(), 3000.0), ratio=0.001 * steps)


def newborn(random: np.random.Generator) -> Course:
    """Two hours old: there is no past."""
    course = bursty(random)
    return _only(course, 26)


def newborn_steady(random: np.random.Generator) -> Course:
    """The same, with errors that come one by one."""
    return _only(steady(random), 26)


SHARES: Final[Mapping[str, Family]] = {
    "steady": steady,
    "bursts, each slot like the one before": bursty,
    "rhythm of the day": daily,
    "a nightly job, deployed then": nightly_job,
    "office hours": office,
    "a request a minute": small,
    "an error in two days": rare,
    "six other incidents a week": incidents,
    "time slices": minutes,
    "a level that wanders": drifting,
    "a new level every five hours": releases,
    "two hours old, steady": newborn_steady,
    "two hours old, bursts": newborn,
}


def cost_of_nodes(random: np.random.Generator) -> Course:
    """Nodes cost the same by night, when fewer requests come."""
    units = 3000 * (1 + 0.7 * np.sin(2 * np.pi * np.arange(_length()) / _DAY)) * _waves(random, 0.8, 0.1)
    return _course(random, np.full(_length(), 2.0) * _waves(random, 0.9, 0.03), units)


def cost_by_use(random: np.random.Generator) -> Course:
    """Paid by use: the cost of a unit hardly moves."""
    units = random.poisson(300 * _waves(random, 0.8, 0.3)).astype(np.float64)
    return _course(random, units * 0.001 * _waves(random, 0.7, 0.05), units)


def cost_in_steps(random: np.random.Generator) -> Course:
    """An autoscaler adds and removes machines."""
    units = 3000 * (1 + 0.7 * np.sin(2 * np.pi * np.arange(_length()) / _DAY)) * _waves(random, 0.9, 0.2)
    machines = np.ceil(np.convolve(units, np.ones(3) / 3, "same") / 700)
    return _course(random, machines * 0.05, units)


COSTS: Final[Mapping[str, Family]] = {
    "nodes that cost the same by night": cost_of_nodes,
    "paid by use": cost_by_use,
    "an autoscaler's steps": cost_in_steps,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One deployment: whether the interval held the truth, whether it left 0 out, and how wide it was."""

    held: bool
    told: bool
    width: float


def outcomes(family: Family, size: float, scale: Scale, number: int = EACH, seed: int = _SEED) -> list[Outcome]:
    """Of as many deployments; those that could not be measured are left out."""
    return list(_outcomes(family, size, scale, number, seed, _ours))


def of_slots(family: Family, size: float, scale: Scale, number: int = EACH, seed: int = _SEED) -> list[Outcome]:
    """The same by Welch's t-test on the slots, as others do it."""
    return list(_outcomes(family, size, scale, number, seed, _welch))


def run() -> None:
    """Measure, print, keep; the table stands in docs/explanation/deployment-effects.md."""
    figures: list[Figure] = []
    held: list[bool] = []
    for scale, families in ((Scale.DIFFERENCE, SHARES), (Scale.QUOTIENT, COSTS)):
        sizes = SIZES[scale]
        subject = "service" if scale is Scale.DIFFERENCE else "unit cost"
        print(f"\n| {subject} | {_columns(scale)} | Welch's t-test holds |")
        print("|---|" + "---:|" * (2 * len(sizes)))
        for name, family in families.items():
            progress(name)
            found = [outcomes(family, size, scale) for size in sizes]
            welch = share(each.held for each in of_slots(family, 0, scale))
            truths = [each.held for part in found for each in part]
            shown = [share(truths), *(share(each.told for each in part) for part in found), width(found[0]), welch]
            print(f"| {name} | " + " | ".join(_cell(*each) for each in zip("ttttwt", shown, strict=True)) + " |")
            figures.append(
                Figure(f"{name}: intervals that hold the truth", share(truths), "share", _limit(name), False)
            )
            held += truths if _limit(name) else []
    figures.append(Figure("all with a past: intervals that hold the truth", share(held), "share", 0.95, at_most=False))
    show("deployment effects: coverage", figures)


def _columns(scale: Scale) -> str:
    unit = (lambda size: f"{size:g}×") if scale is Scale.DIFFERENCE else (lambda size: f"{size * 10:g} %")
    told = [f"told at +{unit(size)}" if size else "told at 0" for size in SIZES[scale]]
    return " | ".join(["holds the truth", *told, "width"])


def _cell(kind: str, value: float) -> str:
    return f"{value:.2f}" if kind == "w" else f"{value * 100:.1f} %"


def _limit(name: str) -> float | None:
    return None if name in (*NO_PAST, _AT_JOB) else LEAST_HELD


def share(found: Iterable[bool]) -> float:
    """Of those that are true; NaN of none."""
    each = list(found)
    return sum(each) / len(each) if each else math.nan


def width(found: Sequence[Outcome]) -> float:
    """The median width of the interval, as a multiple of what is expected."""
    known = sorted(each.width for each in found if math.isfinite(each.width))
    return known[len(known) // 2] if known else math.nan


_Method = Callable[[Slots, Question], Estimate]


def _outcomes(
    family: Family, size: float, scale: Scale, number: int, seed: int, method: _Method
) -> Iterator[Outcome]:  # fmt: skip
    random = np.random.default_rng(seed)
    for _ in range(number):
        course = family(random)
        slots, question, truth = _deployed(random, course, size, scale)
        try:
            found = method(slots, question)
        except TooLittle:
            continue
        yield _judged(found, truth, scale)


def _deployed(
    random: np.random.Generator, course: Course, size: float, scale: Scale
) -> tuple[Slots, Question, float]:  # fmt: skip
    """The slots as they came, and the ratio that would have been after it."""
    start = course.at + _SETTLE
    after = slice(start, start + _HOUR)
    truth = float(course.part[after].sum() / max(course.whole[after].sum(), 1))
    part = course.part.copy()
    if scale is Scale.DIFFERENCE:
        good = course.whole[course.at :] - part[course.at :]
        part[course.at :] += random.binomial(good.astype(np.int64), min(size * course.usual, 1))
    else:
        part[course.at :] *= 1 + size / 10
    entries = [
        (_BEGIN.timestamp() + _SLOT * number + 270, part[number], course.whole[number]) for number in range(len(part))
    ]
    at = _BEGIN + timedelta(seconds=_SLOT * course.at)
    hour, settle = timedelta(hours=1), timedelta(seconds=_SLOT * _SETTLE)
    windows = Window(at - hour, at), Window(at + settle, at + settle + hour)
    return Slots.of(entries), Question(at, *windows, scale=scale), truth


def _judged(found: Estimate, truth: float, scale: Scale) -> Outcome:
    slack = 1e-9 + 1e-6 * truth
    held = found.low - slack <= truth <= found.high + slack
    told = not found.low - slack <= found.after <= found.high + slack
    width = (found.high - found.low) / found.expected if found.expected else math.nan
    return Outcome(held, told, width)


def _ours(slots: Slots, question: Question) -> Estimate:
    return estimate(slots, question)


def _welch(slots: Slots, question: Question) -> Estimate:
    found = estimate(slots, question)
    (left, left_whole), (right, right_whole) = slots.cut(question.before), slots.cut(question.after)
    before, after = left / np.maximum(left_whole, 1e-9), right / np.maximum(right_whole, 1e-9)
    variances = before.var(ddof=1) / len(before), after.var(ddof=1) / len(after)
    total = sum(variances)
    freedom = total**2 / max(sum(each**2 / 11 for each in variances), 1e-300)
    reach = math.sqrt(total) * student(0.95, max(freedom, 1))
    mean = float(before.mean())
    return Estimate(
        mean, found.after, mean, mean - reach, mean + reach, found.part, found.whole, found.method, 0
    )  # fmt: skip


def _length() -> int:
    return _WEEK + 4 * _HOUR


def _waves(random: np.random.Generator, link: float, deviation: float) -> Floats:
    """Factors around 1 whose logarithms are a first-order autoregression."""
    noise = random.normal(0, deviation * math.sqrt(1 - link**2), _length())
    found = np.empty(_length())
    found[0] = random.normal(0, deviation)
    for number in range(1, _length()):
        found[number] = link * found[number - 1] + noise[number]
    return np.asarray(np.exp(found - deviation**2 / 2))


def _drawn(random: np.random.Generator, *, whole: Floats, ratio: Floats, at_slot: int = -1) -> Course:
    events = random.poisson(whole)
    bad = random.binomial(events, np.minimum(ratio, 1))
    at = _moment(random)
    if at_slot >= 0:
        at = at // _DAY * _DAY + at_slot + int(random.integers(-_HOUR, _HOUR))
    return Course(bad.astype(np.float64), events.astype(np.float64), at, float(np.median(ratio)))


def _course(random: np.random.Generator, cost: Floats, units: Floats) -> Course:
    return Course(cost, units, _moment(random), 1.0)


def _moment(random: np.random.Generator) -> int:
    return int(random.integers(6 * _DAY + 2 * _HOUR, _WEEK))


def _only(course: Course, slots: int) -> Course:
    """Nothing is known of it before so many slots."""
    start = course.at - slots + 12
    return Course(course.part[start:], course.whole[start:], course.at - start, course.usual)
