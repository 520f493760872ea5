"""Targets and time windows of OpenSLO SLOs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import (
    LEDGER_INTERVAL,
    STANDARD_PERIOD,
    STANDARD_TIERS,
    can_fire,
    duration,
    number,
    threshold,
)
from controlplane.model.slo import RollingWindow
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from controlplane.wording import exact_percent
from slo.spec import Objective, SLOSpec, TimeWindow

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=3650)
_SHORTHAND: Final = re.compile(r"([0-9]{1,9})([A-Za-z])")
_UNITS: Final = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_CALENDAR_UNITS: Final = {"M": ("months", "30d"), "Q": ("quarters", "90d"), "Y": ("years", "365d")}
_FIRST_WORD: Final = "as in 30d, 4w or 720h"


@dataclass(frozen=True, slots=True)
class Period:
    """A window, or None when it cannot be used."""

    window: RollingWindow | None
    problems: tuple[Problem, ...]

    @property
    def length(self) -> timedelta | None:
        """Its length, if known."""
        return self.window.length if self.window else None


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


def period_of(document: Document, spec: SLOSpec) -> Period:
    """The rolling window of an SLO; 30 days with a warning when none is written."""
    at = ("spec", "timeWindow")
    if not spec.time_window:
        problem = document.problem(
            *at,
            message="no time window: 30 rolling days are assumed",
            severity=Severity.WARNING,
            rule="time-window",
            hint="write timeWindow: [{duration: 30d, isRolling: true}]",
            on_key=True,
        )
        return Period(RollingWindow(STANDARD_PERIOD), (problem,))
    if len(spec.time_window) > 1:
        return Period(
            None, (document.problem(*at, 1, message="an SLO has exactly one time window", rule="time-window"),)
        )
    return _rolling(document, spec.time_window[0])


def _rolling(document: Document, written: TimeWindow) -> Period:
    at = ("spec", "timeWindow", 0)
    if written.calendar is not None or written.is_rolling is False:
        key = "calendar" if written.calendar is not None else "isRolling"
        problem = document.problem(
            *at,
            key,
            message="windows aligned to the calendar are not supported yet",
            rule="unsupported",
            on_key=True,
            hint="write `duration: 30d` with `isRolling: true`, and no calendar",
        )
        return Period(None, (problem,))
    length, fault = length_of(written.duration)
    if length is None:
        return Period(None, (document.problem(*at, "duration", message=fault, rule="time-window"),))
    dropped = [tier for tier in STANDARD_TIERS if tier.long > length]
    if not dropped:
        return Period(RollingWindow(length), ())
    listed = ", ".join(f"{tier.urgency.value} over {duration(tier.long)}" for tier in dropped)
    warning = document.problem(
        *at,
        "duration",
        message=f"the window is shorter than some alerts look back, so these are left out: {listed}",
        severity=Severity.WARNING,
        rule="alert-windows",
    )
    return Period(RollingWindow(length), (warning,))


def length_of(text: str) -> tuple[timedelta | None, str]:
    """A duration-shorthand as a rolling length, or why it cannot be one."""
    match = _SHORTHAND.fullmatch(text)
    if match is None or match[2] not in _UNITS | _CALENDAR_UNITS:
        wrong = f"`{text[:40]}` is not a duration"
        if match is not None and match[2].lower() in _UNITS:
            return None, f"{wrong}, did you mean `{text.lower()}`?"
        return None, f"{wrong}: a whole number and m, h, d or w, {_FIRST_WORD}"
    if match[2] in _CALENDAR_UNITS:
        what, instead = _CALENDAR_UNITS[match[2]]
        return None, f"{what} differ in length, so they cannot roll: write days, such as {instead}"
    try:
        length = int(match[1]) * _UNITS[match[2]]
    except OverflowError:
        length = timedelta.max
    if not SHORTEST <= length <= LONGEST:
        return None, f"must be between {duration(SHORTEST)} and {duration(LONGEST)}"
    if length % LEDGER_INTERVAL:
        return None, "must be a multiple of 5 minutes"
    return length, ""


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
    fault, hint = _target_fault(key, value, whole)
    if fault:
        return None, [document.problem(*at, key, message=fault, hint=hint, rule="objective")]
    return value / whole, []


def _target_fault(key: str, value: Decimal, whole: Decimal) -> tuple[str, str]:
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
