"""Sloth's catalogue of alerting windows: which period its SLOs have, and when somebody is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane.burn_rate import STANDARD_PERIOD, duration
from controlplane.model.alerting import STANDARD_TIERS, Tier, Urgency
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.dialects.durations import prometheus_duration
from slo.dialects.sloth.spec import AlertWindows, Window

SHORTEST: Final = timedelta(minutes=5)  # what one value of the rolling pair counts
_DAY: Final = timedelta(days=1)
_LEDGER: Final = timedelta(minutes=5)
_RULE: Final = "alert-windows"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The period of every SLO in Sloth's files, and its tiers."""

    period: timedelta
    tiers: tuple[Tier, ...]
    problems: tuple[Problem, ...]


def catalogue_of(documents: Sequence[Document]) -> Catalogue:
    """What the AlertWindows among the documents say.

    Sloth takes the period from its command line (30 days unless told otherwise) and refuses one without windows. So a
    catalogue without windows for 30 days has those of the one period that can be meant.
    """
    problems: list[Problem] = []
    known: dict[timedelta, tuple[Document, tuple[Tier, ...]]] = {}
    for document in documents:
        if isinstance(document.value, AlertWindows):
            _add(known, document, document.value, problems)
    if not known or STANDARD_PERIOD in known:
        tiers = known[STANDARD_PERIOD][1] if known else STANDARD_TIERS
        return Catalogue(STANDARD_PERIOD, tiers, tuple(problems))
    period = min(known)
    if len(known) > 1:
        document = known[period][0]
        listed = ", ".join(map(duration, sorted(known)))
        problem = document.problem(
            "spec", "sloPeriod",
            message=f"there are windows for {listed}, and none for 30d: which period do the SLOs have?",
            hint="keep the AlertWindows of the period that you give Sloth by --default-slo-period, and only those",
            rule=_RULE,
        )  # fmt: skip
        problems.append(problem)
    return Catalogue(period, known[period][1], tuple(problems))


def _add(
    known: dict[timedelta, tuple[Document, tuple[Tier, ...]]],
    document: Document,
    value: AlertWindows,
    problems: list[Problem],
) -> None:
    period, fault = prometheus_duration(value.spec.slo_period)
    if not fault and (not timedelta(hours=1) <= period <= timedelta(days=3650) or period % _LEDGER):
        fault = "must be between 1h and 3650d, and a multiple of 5 minutes"
    if fault:
        problems.append(document.problem("spec", "sloPeriod", message=fault, rule=_RULE))
        return
    parts: Mapping[tuple[str, str], Window] = {
        ("page", "quick"): value.spec.page.quick,
        ("page", "slow"): value.spec.page.slow,
        ("ticket", "quick"): value.spec.ticket.quick,
        ("ticket", "slow"): value.spec.ticket.slow,
    }
    tiers = tuple(_tier(document, ("spec", *key), (Urgency(key[0]), window), problems) for key, window in parts.items())
    if period in known and known[period][1] != tiers:
        first = known[period][0].position_of("spec", "sloPeriod")
        message = f"other windows for {duration(period)} are there"
        hint = f"first at {first}"
        problems.append(document.problem("spec", "sloPeriod", message=message, hint=hint, rule="duplicate-name"))
        return
    known[period] = (document, tiers)


def _tier(document: Document, path: tuple[str, ...], written: tuple[Urgency, Window], problems: list[Problem]) -> Tier:
    urgency, window = written
    share = window.error_budget_percent / 100
    if not window.error_budget_percent.is_finite() or not 0 < share <= 1:
        message = f"must be above 0 and at most 100, is {window.error_budget_percent}"
        problems.append(document.problem(*path, "errorBudgetPercent", message=message, rule=_RULE))
        share = Decimal(1)
    short = _length(document, (*path, "shortWindow"), window.short_window, problems)
    long = _length(document, (*path, "longWindow"), window.long_window, problems)
    if short >= long:
        message = "the short window must be shorter than the long one"
        problems.append(document.problem(*path, "shortWindow", message=message, rule=_RULE))
    return Tier(urgency, share, short, long, (short, long) if short == SHORTEST else (long,))


def _length(document: Document, path: tuple[str, ...], text: str, problems: list[Problem]) -> timedelta:
    """A window's length; at least five minutes, which is told."""
    length, fault = prometheus_duration(text)
    if not fault and length > timedelta(days=366):
        fault = "must be at most 366d"
    if not fault and length >= _DAY and length % _LEDGER:
        fault = "a window of a day or more must be a multiple of 5 minutes"
    if not fault and length % timedelta(minutes=1):
        fault = "must be a whole number of minutes"
    if fault:
        problems.append(document.problem(*path, message=fault, rule=_RULE))
        return SHORTEST
    if length < SHORTEST:
        message = f"the shortest window here is 5 minutes: {text} is read as 5m"
        problems.append(document.problem(*path, message=message, severity=Severity.WARNING, rule=_RULE))
    return max(length, SHORTEST)
