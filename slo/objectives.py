"""Targets of OpenSLO SLOs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import STANDARD_TIERS, can_fire, number, threshold
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from controlplane.wording import exact_percent
from slo.spec import Objective, SLOSpec


@dataclass(frozen=True, slots=True)
class Target:
    """One objective. `suffix` tells it from its siblings in names: 99.9 % is `99-9`."""

    objective: Decimal
    suffix: str
    display_name: str


@dataclass(frozen=True, slots=True)
class Targets:
    """The objectives that can be used."""

    values: tuple[Target, ...]
    problems: tuple[Problem, ...]


def targets_of(document: Document, spec: SLOSpec, period: timedelta | None) -> Targets:
    """The objectives of an SLO."""
    problems = list(_unsupported(document, spec))
    values: dict[Decimal, Target] = {}
    for index, written in enumerate(spec.objectives):
        objective, found = _objective(document, index, written)
        problems.extend(found)
        if objective is None:
            continue
        if objective in values:
            problems.append(
                document.problem(
                    "spec",
                    "objectives",
                    index,
                    rule="objective",
                    message=f"another objective also asks for {exact_percent(objective)}",
                )
            )
            continue
        suffix = exact_percent(objective).removesuffix(" %").replace(".", "-")
        values[objective] = Target(objective, suffix, written.display_name)
        problems.extend(_unreachable(document, index, written, (objective, period)))
    return Targets(tuple(values.values()), tuple(problems))


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
    if len(value.as_tuple().digits) > _MOST_DIGITS:
        return too_fine, f"at most {_MOST_DIGITS} digits"
    if value / whole < _SMALLEST or 1 - value / whole < _SMALLEST:
        return too_fine, "at least one event in 1,000,000,000,000 may be bad, and one must be good"
    return "", ""


_MOST_DIGITS: Final = 15  # what a 64-bit float keeps of a decimal
_SMALLEST: Final = Decimal("1e-12")


def _unreachable(
    document: Document, index: int, written: Objective, asked: tuple[Decimal, timedelta | None]
) -> Iterator[Problem]:
    """Tiers that cannot fire: with every event bad the budget still burns too slowly."""
    objective, period = asked
    if period is None:
        return
    key = "target" if written.target is not None else "targetPercent"
    mute = [tier for tier in STANDARD_TIERS if tier.long <= period and not can_fire(tier, period, 1 - objective)]
    if mute:
        listed = ", ".join(f"{tier.urgency.value} at {number(round(threshold(tier, period), 3))}×" for tier in mute)
        fastest = number(round(1 / (1 - objective), 2))
        yield document.problem(
            "spec",
            "objectives",
            index,
            key,
            severity=Severity.WARNING,
            rule="alert-unreachable",
            message=f"these alerts can never fire: {listed}",
            hint=f"at {exact_percent(objective)} the budget burns at most {fastest}×, with every event bad",
        )


def _unsupported(document: Document, spec: SLOSpec) -> Iterator[Problem]:
    if spec.budgeting_method in ("Timeslices", "RatioTimeslices"):
        yield document.problem(
            "spec",
            "budgetingMethod",
            message=f"{spec.budgeting_method} is not supported yet",
            hint="write Occurrences",
            rule="unsupported",
        )
    if spec.alert_policies:
        yield document.problem(
            "spec",
            "alertPolicies",
            message="alert policies are not used yet",
            severity=Severity.WARNING,
            rule="unused-field",
            on_key=True,
            hint="every SLO has the standard multi-window burn-rate alerts (page and ticket)",
        )
    for index, objective in enumerate(spec.objectives):
        at = ("spec", "objectives", index)
        for key, value in (
            ("indicator", objective.indicator),
            ("indicatorRef", objective.indicator_ref),
            ("compositeWeight", objective.composite_weight),
        ):
            if value is not None:
                yield document.problem(
                    *at,
                    key,
                    message="composite SLOs are not supported yet",
                    on_key=True,
                    hint="write one SLO per indicator",
                    rule="unsupported",
                )
        unused: tuple[tuple[str, object], ...] = (("op", objective.op), ("value", objective.value))
        if spec.budgeting_method in (None, "Occurrences"):
            slices = (
                ("timeSliceTarget", objective.time_slice_target),
                ("timeSliceWindow", objective.time_slice_window),
            )
            unused = (*unused, *slices)
        for name, given in unused:
            if given is not None:
                yield document.problem(
                    *at,
                    name,
                    message="changes nothing here",
                    on_key=True,
                    severity=Severity.WARNING,
                    rule="unused-field",
                    hint="it belongs to "
                    + ("a thresholdMetric" if name in ("op", "value") else "budgetingMethod Timeslices"),
                )
