"""Targets of OpenSLO SLOs: how much must be good, of what, and compared with what."""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Final

from controlplane.burn_rate import can_fire, number, threshold
from controlplane.model.alerting import Tier
from controlplane.model.slo import Comparison
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document, Path
from controlplane.wording import exact_percent
from slo.openslo.indicators import Compared
from slo.openslo.slicing import MOST_DIGITS, TIMESLICES, Slices, slices_of, unused_field
from slo.openslo.spec import Objective, SLOSpec

_COMPARISONS: Final = {
    "lte": Comparison.AT_MOST,
    "gte": Comparison.AT_LEAST,
    "lt": Comparison.BELOW,
    "gt": Comparison.ABOVE,
}
_HEAVIEST: Final = Decimal("1e12")
_SMALLEST: Final = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Target:
    """One objective. `suffix` tells it from its siblings in names: 99.9 % is `99-9`.

    `index` is its place among the objectives. `compared` belongs to a thresholdMetric, `slices` to Timeslices.
    """

    index: int
    objective: Decimal
    suffix: str
    display_name: str
    compared: Compared | None
    slices: Slices | None
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Targets:
    """The objectives that can be used."""

    values: tuple[Target, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the targets of an SLO depend on.

    `thresholds` tells for each objective whether its SLI is a thresholdMetric; None where the SLI is not known.
    """

    period: timedelta | None
    tiers: Sequence[Tier]
    thresholds: Sequence[bool | None]
    composite: bool


def targets_of(document: Document, spec: SLOSpec, asked: Asked) -> Targets:
    """The objectives of an SLO; each an SLO of its own, or each a part of a composite."""
    problems: list[Problem] = []
    targets: dict[tuple[object, ...], Target] = {}
    suffixes: set[str] = set()
    for index, written in enumerate(spec.objectives):
        target, found = _target(document, spec, index, asked)
        problems.extend(found)
        if target is None:
            continue
        same = (target.objective, target.compared, target.slices, index if asked.composite else None)
        if same in targets:
            message = f"another objective also asks for {exact_percent(target.objective)}"
            problems.append(document.problem("spec", "objectives", index, rule="objective", message=message))
            continue
        target = replace(target, suffix=_unused(target, written, suffixes))
        suffixes.add(target.suffix)
        targets[same] = target
        if not asked.composite:
            problems.extend(_unreachable(document, target, written, asked))
    return Targets(tuple(targets.values()), tuple(problems))


def _unused(target: Target, written: Objective, taken: Container[str]) -> str:
    """The target's suffix; where another asks for as much, also what it is compared with, or else a number."""
    suffix = target.suffix
    if suffix in taken and target.compared is not None:
        value = re.sub(r"[^0-9]+", "-", number(target.compared.threshold)).strip("-")
        suffix = f"{suffix}-{written.op}-{value}"
    if suffix not in taken:
        return suffix
    return next(each for each in (f"{suffix}-{further}" for further in count(2)) if each not in taken)


def _target(document: Document, spec: SLOSpec, index: int, asked: Asked) -> tuple[Target | None, list[Problem]]:
    written, at = spec.objectives[index], ("spec", "objectives", index)
    objective, problems = _objective(document, index, written)
    compared, of_comparison = _compared(document, at, written, asked.thresholds[index])
    slices, of_slices = slices_of(document, at, spec, written, asked.period)
    weight, of_weight = _weight(document, at, written.composite_weight, _user_of_weights(spec, asked))
    problems += (*of_comparison, *of_slices, *of_weight)
    if objective is None or has_errors(problems):
        return None, problems
    suffix = exact_percent(objective).removesuffix(" %").replace(".", "-")
    return Target(index, objective, suffix, written.display_name, compared, slices, weight), problems


def _compared(
    document: Document, at: Path, written: Objective, is_threshold: bool | None
) -> tuple[Compared | None, list[Problem]]:
    given = (("op", written.op), ("value", written.value))
    if not is_threshold:
        unused = [key for key, value in given if value is not None and is_threshold is False]
        return None, [unused_field(document, at, key, "a thresholdMetric") for key in unused]
    if written.op is None or written.value is None:
        hint = "a thresholdMetric is good while the metric stands so to it: op: lt, value: 0.5"
        return None, [
            document.problem(*at, key, message="required, but missing", hint=hint, rule="missing-field")
            for key, value in given
            if value is None
        ]
    if not written.value.is_finite() or len(written.value.as_tuple().digits) > MOST_DIGITS:
        message, hint = f"{written.value} is finer than Prometheus can compute with", f"at most {MOST_DIGITS} digits"
        return None, [document.problem(*at, "value", message=message, hint=hint, rule="objective")]
    return Compared(_COMPARISONS[written.op], written.value), []


def _user_of_weights(spec: SLOSpec, asked: Asked) -> str:
    """What weights belong to, where they say nothing here; empty where they do."""
    if not asked.composite:
        return "a composite"
    any_bad = spec.budgeting_method == TIMESLICES
    return "the other budgeting methods: a slice that is bad for any objective is bad" if any_bad else ""


def _weight(document: Document, at: Path, weight: Decimal | None, elsewhere: str) -> tuple[Decimal, list[Problem]]:
    if weight is None:
        return Decimal(1), []
    if not weight.is_finite() or not 0 < weight <= _HEAVIEST:
        message = f"a weight is above 0, is {weight}"
        return weight, [document.problem(*at, "compositeWeight", message=message, rule="objective")]
    if len(weight.as_tuple().digits) > MOST_DIGITS:
        message, hint = f"{weight} is finer than Prometheus can compute with", f"at most {MOST_DIGITS} digits"
        return weight, [document.problem(*at, "compositeWeight", message=message, hint=hint, rule="objective")]
    return weight, [unused_field(document, at, "compositeWeight", elsewhere)] if elsewhere else []


def _objective(document: Document, index: int, written: Objective) -> tuple[Decimal | None, list[Problem]]:
    at = ("spec", "objectives", index)
    if written.target is not None and written.target_percent is not None:
        return None, [
            document.problem(
                *at,
                "targetPercent",
                message="target and targetPercent say the same thing",
                hint="remove one of them",
                rule="objective",
                on_key=True,
            )
        ]
    if written.target is not None:
        key, value, whole = "target", written.target, Decimal(1)
    elif written.target_percent is not None:
        key, value, whole = "targetPercent", written.target_percent, Decimal(100)
    else:
        return None, [
            document.problem(
                *at, message="no target", hint="write target: 0.999 or targetPercent: 99.9", rule="objective"
            )
        ]
    fault, hint = target_fault(key, value, whole)
    if fault:
        return None, [document.problem(*at, key, message=fault, hint=hint, rule="objective")]
    return value / whole, []


def target_fault(key: str, value: Decimal, whole: Decimal) -> tuple[str, str]:
    """Why an objective that is written at `key` as a part of `whole` cannot be one, and what to do; empty if it can."""
    if not value.is_finite():
        return f"must be between 0 and {whole}, is {value}", ""
    if value == whole:
        return "an objective of 100 % leaves no error budget, so any error would break it", (
            "choose one below, such as " + ("0.999" if whole == 1 else "99.9")
        )
    if value == 0:
        return "an objective of 0 % is always met", "choose one above"
    if not 0 < value < whole:
        hint = "write targetPercent for per cent" if whole == 1 and 1 < value < 100 else ""
        return f"must be between 0 and {whole}, is {value}", hint
    too_fine = f"{value} is finer than Prometheus can compute with"
    if len(value.as_tuple().digits) > MOST_DIGITS:
        return too_fine, f"at most {MOST_DIGITS} digits"
    if value / whole < _SMALLEST or 1 - value / whole < _SMALLEST:
        return too_fine, "at least one event in 1,000,000,000,000 may be bad, and one must be good"
    return "", ""


def _unreachable(document: Document, target: Target, written: Objective, asked: Asked) -> Iterator[Problem]:
    """Tiers that cannot fire: with every event bad the budget still burns too slowly."""
    period, objective = asked.period, target.objective
    if period is None:
        return
    key = "target" if written.target is not None else "targetPercent"
    mute = [tier for tier in asked.tiers if tier.long <= period and not can_fire(tier, period, 1 - objective)]
    if mute:
        listed = ", ".join(f"{tier.urgency.value} at {number(round(threshold(tier, period), 3))}×" for tier in mute)
        fastest = number(round(1 / (1 - objective), 2))
        yield document.problem(
            "spec",
            "objectives",
            target.index,
            key,
            severity=Severity.WARNING,
            rule="alert-unreachable",
            message=f"these alerts can never fire: {listed}",
            hint=f"at {exact_percent(objective)} the budget burns at most {fastest}×, with every event bad",
        )
