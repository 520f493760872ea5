"""One AlertCondition: a burn rate over one window, as one tier of an SLO's alerts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import LEDGER_INTERVAL, duration
from controlplane.model.alerting import Tier, Urgency
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Document
from slo.durations import span_of
from slo.openslo.spec import AlertConditionSpec
from slo.policies.alert_tiers import LONGEST, SHORTEST

# What people call the two urgencies, letter case and `-`, `_` and spaces aside.
PAGE_WORDS: Final = ("page", "critical", "high", "urgent", "emergency", "sev0", "sev1", "p0", "p1")
TICKET_WORDS: Final = (
    "ticket", "warning", "warn", "medium", "moderate", "low", "minor", "info",
    "sev2", "sev3", "sev4", "sev5", "p2", "p3", "p4", "p5",
)  # fmt: skip
_FROM_LEDGER: Final = timedelta(days=1)  # sums of this length and more are made of entries of five minutes
_LONGEST_HOLD: Final = timedelta(days=1)
_HIGHEST: Final = Decimal("1e12")
_MOST_DIGITS: Final = 15  # what a 64-bit float keeps of a decimal
_RULE: Final = "alert-condition"
_AT: Final = ("spec", "condition")


@dataclass(frozen=True, slots=True)
class Condition:
    """A tier; `severity` is the user's own word where it is neither of ours."""

    tier: Tier
    severity: str


@dataclass(frozen=True, slots=True)
class FoundCondition:
    """A condition, or None when it cannot be used."""

    value: Condition | None
    problems: tuple[Problem, ...]


def urgency_of(severity: str) -> Urgency | None:
    """Which of the two urgencies a word means, if any."""
    word = severity.lower().replace("-", "").replace("_", "").replace(" ", "")
    if word in PAGE_WORDS:
        return Urgency.PAGE
    return Urgency.TICKET if word in TICKET_WORDS else None


def condition_of(document: Document, spec: AlertConditionSpec) -> FoundCondition:
    """The tier that an AlertCondition asks for. It replaces the standard, so it is a burn rate and nothing else."""
    window, window_problems = _window(document, spec.condition.lookback_window)
    hold, hold_problems = _hold(document, spec.condition.alert_after)
    urgency = urgency_of(spec.severity)
    problems = (*window_problems, *hold_problems, *_threshold_problems(document, spec), *_word_problems(document, spec))
    if window is None or hold is None or has_errors(problems):
        return FoundCondition(None, problems)
    tier = Tier(
        urgency=urgency or Urgency.TICKET,
        budget_share=Decimal(0),  # follows from the rate and the SLO's period
        short=window,
        long=window,
        spent_within=(window,),
        burn_rate=spec.condition.threshold,
        hold=hold,
    )
    return FoundCondition(Condition(tier, "" if urgency else spec.severity), problems)


def _window(document: Document, text: str) -> tuple[timedelta | None, list[Problem]]:
    window, fault = span_of(text)
    if window is not None and not SHORTEST <= window <= LONGEST:
        fault = f"must be between {duration(SHORTEST)} and {duration(LONGEST)}"
    elif window is not None and window >= _FROM_LEDGER and window % LEDGER_INTERVAL:
        fault = "a window of a day or more must be a multiple of 5 minutes"
    if not fault:
        return window, []
    rule = _RULE if window is None else "unsupported"
    return None, [document.problem(*_AT, "lookbackWindow", message=fault, rule=rule)]


def _hold(document: Document, text: str | None) -> tuple[timedelta | None, list[Problem]]:
    hold, fault = span_of(text) if text else (timedelta(0), "")
    if hold is not None and hold > _LONGEST_HOLD:
        fault = f"must be at most {duration(_LONGEST_HOLD)}"
    if not fault:
        return hold, []
    return None, [document.problem(*_AT, "alertAfter", message=fault, rule=_RULE)]


def _threshold_problems(document: Document, spec: AlertConditionSpec) -> Iterator[Problem]:
    threshold = spec.condition.threshold
    if not threshold.is_finite() or not 0 < threshold <= _HIGHEST:
        message = f"a burn rate is above 0, such as 14.4; here is {threshold}"
        yield document.problem(*_AT, "threshold", message=message, rule=_RULE)
    elif len(threshold.as_tuple().digits) > _MOST_DIGITS:
        message, hint = f"{threshold} is finer than Prometheus can compute with", f"at most {_MOST_DIGITS} digits"
        yield document.problem(*_AT, "threshold", message=message, hint=hint, rule=_RULE)


def _word_problems(document: Document, spec: AlertConditionSpec) -> Iterator[Problem]:
    if spec.condition.op in ("lte", "lt"):
        op = spec.condition.op.replace("l", "g", 1)
        yield document.problem(
            *_AT,
            "op",
            message=f"read as {op}: the alert fires when the budget burns that fast",
            hint="an alert for a budget that burns slowly would fire while all is well",
            severity=Severity.WARNING,
            rule=_RULE,
        )
    if urgency_of(spec.severity) is None:
        yield document.problem(
            "spec",
            "severity",
            message=f"`{spec.severity[:40]}` is no severity that we know: a ticket, with this word as its severity",
            hint=f"one of {', '.join(PAGE_WORDS)} pages",
            severity=Severity.WARNING,
            rule=_RULE,
        )
