"""What OpenSLO's objectives say about slices of time: `timeSliceTarget` and `timeSliceWindow`."""

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.slo import Measured, TimeslicesIndicator
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, Path
from slo.durations import span_of
from slo.openslo.spec import Objective, SLOSpec

TIMESLICES: Final = "Timeslices"
RATIO_TIMESLICES: Final = "RatioTimeslices"
MOST_DIGITS: Final = 15  # what a 64-bit float keeps of a decimal
_RULE: Final = "time-slice"
_MINUTES: Final = re.compile(r"[0-9]{1,9}")  # a number without a unit


@dataclass(frozen=True, slots=True)
class Slices:
    """How long a slice is, and the share of good events below which it is bad; None: as bad as its bad events."""

    length: timedelta
    target: Decimal | None


def sliced(indicator: Measured, slices: Slices | None) -> Measured | TimeslicesIndicator:
    """The indicator, in slices of time where they are asked for."""
    return indicator if slices is None else TimeslicesIndicator(indicator, slices.length, slices.target)


def slices_of(
    document: Document, at: Path, spec: SLOSpec, written: Objective, period: timedelta | None
) -> tuple[Slices | None, list[Problem]]:
    """The slices that the objective at a path asks for; None and no problem where the method counts events."""
    target, window = written.time_slice_target, written.time_slice_window
    if spec.budgeting_method not in (TIMESLICES, RATIO_TIMESLICES):
        given = (("timeSliceTarget", target), ("timeSliceWindow", window))
        return None, [
            unused_field(document, at, key, "budgetingMethod Timeslices") for key, value in given if value is not None
        ]
    length, problems = _length(document, at, window, period)
    if spec.budgeting_method == RATIO_TIMESLICES:
        if target is not None:
            problems.append(unused_field(document, at, "timeSliceTarget", "budgetingMethod Timeslices"))
        return None if length is None else Slices(length, None), problems
    if target is None:
        hint = "write timeSliceTarget: 0.95 if a slice is good with 95 % of good events"
        problems.append(_missing(document, at, "timeSliceTarget", hint))
    elif fault := _target_fault(target):
        problems.append(document.problem(*at, "timeSliceTarget", message=fault, rule=_RULE))
    elif length is not None:
        return Slices(length, target), problems
    return None, problems


def unused_field(document: Document, at: Path, key: str, owner: str) -> Problem:
    """A field that belongs to something that this SLO is not."""
    return document.problem(
        *at,
        key,
        message="changes nothing here",
        on_key=True,
        severity=Severity.WARNING,
        rule="unused-field",
        hint=f"it belongs to {owner}",
    )


def _length(
    document: Document, at: Path, window: str | None, period: timedelta | None
) -> tuple[timedelta | None, list[Problem]]:
    if window is None:
        return None, [_missing(document, at, "timeSliceWindow", "write timeSliceWindow: 1m for slices of a minute")]
    length, fault = span_of(f"{window}m" if _MINUTES.fullmatch(window) else window)
    if length is not None and length < timedelta(minutes=1):
        fault = "a slice is a minute at least"
    elif length is not None and period is not None and length > period:
        fault = f"a slice of {duration(length)} does not fit into the time window of {duration(period)}"
    if not fault:
        return length, []
    return None, [document.problem(*at, "timeSliceWindow", message=fault, rule=_RULE)]


def _target_fault(target: Decimal) -> str:
    if not target.is_finite() or not 0 < target <= 1:
        return f"must be above 0 and at most 1, is {target}"
    if len(target.as_tuple().digits) > MOST_DIGITS:
        return f"{target} is finer than Prometheus can compute with"
    return ""


def _missing(document: Document, at: Path, key: str, hint: str) -> Problem:
    return document.problem(*at, key, message="required, but missing", hint=hint, rule="missing-field")
