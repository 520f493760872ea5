"""Budget documents as budgets, and everything that is wrong with them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import tier_name
from controlplane.model.alerting import Tier
from controlplane.model.budget import MONEY_TIERS, STANDARD_PACE, STANDARD_SPIKE, Budget, Pace, Spike
from controlplane.model.slo import CalendarWindow, Window
from controlplane.problems import Problem, Severity
from controlplane.specfile import Declared, Document, did_you_mean
from finops.budgets.advice import advice
from finops.budgets.spec import BudgetDocument, PacePart
from finops.budgets.windows import Fault, length_of, tier_of, window_of, zone_faults
from finops.naming import LABEL_NAME, annotation_problems, labels_of, name_problems

RULE: Final = "budget"
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_HIGHEST_THRESHOLD: Final = 10
_STALE_AFTER: Final = timedelta(minutes=10)
_THRESHOLDS: Final = (Decimal("0.8"), Decimal("0.9"))
# What the spend series carry besides the tags that a PriceMap keeps (its `keep`).
SPEND_LABELS: Final = (
    "service", "namespace", "tenant", "team", "route", "connector", "provider", "region", "model", "price", "resource",
)  # fmt: skip
_NOT_IN_SCOPES: Final = {
    names.CURRENCY: "the budget's currency selects it already",
    names.BUDGET: "spend carries no such label",
    "__name__": "it is no label of spend",
}


def declared(documents: Sequence[Document]) -> Declared[Budget]:
    """The budgets that these documents declare, by name. One with a mistake is left out; its problems are told.

    Names are unique: of two documents of a kind and name the reader keeps the first.
    """
    found: dict[str, tuple[Budget, Document]] = {}
    problems: list[Problem] = []
    for document in documents:
        if isinstance(document.value, BudgetDocument):
            reading = _Reading(document, document.value)
            budget = reading.budget()
            problems += reading.problems
            if budget is not None:
                found[budget.name] = (budget, document)
    problems += advice(tuple(found.values()))
    return Declared(tuple(found[name][0] for name in sorted(found)), tuple(problems))


class _Reading:
    def __init__(self, document: Document, value: BudgetDocument) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._value = value

    def budget(self) -> Budget | None:
        """What the document says; None when an error was found."""
        about, spec = self._value.metadata, self._value.spec
        self.problems += name_problems(self._document, about.name)
        self.problems += annotation_problems(self._document, about.annotations)
        labels, of_labels = labels_of(self._document, about.labels)
        self.problems += of_labels
        self._check_currency(spec.currency)
        window, faults = window_of(spec.window)
        self._report_faults(faults, "spec", "window")
        alerts = spec.alerts
        actual = self._thresholds("actual", alerts.actual)
        forecast = self._thresholds("forecast", alerts.forecast)
        scope, pace, tiers = self._scope(), self._pace(spec.pace, window), self._tiers()
        stale_after = self._stale_after(alerts.stale_after)
        if window is None or any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        return Budget(
            name=about.name,
            amount=spec.amount,
            currency=spec.currency,
            window=window,
            source=self._document.position_of("metadata", "name"),
            scope=scope,
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            pace=pace,
            spike=self._spike(),
            actual=actual,
            forecast=forecast,
            tiers=tiers,
            stale_after=stale_after,
            absent_is_zero=spec.absent == "zero",
            labels=labels,
        )

    def _check_currency(self, currency: str) -> None:
        if not _CURRENCY.fullmatch(currency):
            upper = currency.strip().upper()
            meant = f", did you mean `{upper}`?" if _CURRENCY.fullmatch(upper) else ""
            message = f"`{currency[:20]}` is not a currency{meant}"
            self._report("spec", "currency", message=message, hint="" if meant else "three capitals, such as USD")

    def _scope(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        for label, values in self._value.spec.scope.items():
            at = ("spec", "scope", label)
            if not LABEL_NAME.fullmatch(label):
                hint = "letters, digits and `_`, as Prometheus has them"
                self._report(*at, message=f"`{label[:80]}` is not a label's name", hint=hint, on_key=True)
            elif label in _NOT_IN_SCOPES:
                self._report(*at, message=f"a scope cannot ask for it: {_NOT_IN_SCOPES[label]}", on_key=True)
            elif label not in SPEND_LABELS and (meant := did_you_mean(label, SPEND_LABELS)):
                message = f"spend carries no label `{label}` unless a PriceMap keeps it, did you mean `{meant}`?"
                self._report(*at, message=message, severity=Severity.WARNING, on_key=True)
            for number, value in enumerate(values):
                if value in values[:number]:
                    self._report(*at, number, message=f"`{value}` is there twice", severity=Severity.WARNING)
        scope = self._value.spec.scope
        return tuple((label, tuple(dict.fromkeys(scope[label]))) for label in sorted(scope))

    def _thresholds(self, key: str, written: list[Decimal] | None) -> tuple[Decimal, ...]:
        if written is None:
            return _THRESHOLDS
        at = ("spec", "alerts", key)
        for number, value in enumerate(written):
            if not 0 < value <= _HIGHEST_THRESHOLD:
                hint = f"a share of the amount: write {_share(value)} for {value} %" if value > 1 else ""
                message = f"must be more than 0 and at most {_HIGHEST_THRESHOLD}, is {value}"
                self._report(*at, number, message=message, hint=hint)
            elif value in written[:number]:
                self._report(*at, number, message=f"{value} is there twice", hint="remove one")
            elif value > 1 and min(written) > 1:
                message = f"nobody is told before {value:f} times the amount"
                hint = f"write {_share(value)} if {value:f} % is meant"
                self._report(*at, number, message=message, hint=hint, severity=Severity.WARNING)
        return tuple(sorted(set(written)))

    def _pace(self, written: PacePart | None, window: Window | None) -> Pace:
        if written is None:
            return STANDARD_PACE
        of_window = window.time_zone if isinstance(window, CalendarWindow) else "UTC"
        self._report_faults(tuple(zone_faults("timeZone", written.time_zone or of_window)), "spec", "pace")
        weekdays = STANDARD_PACE.weekdays
        if written.weekdays is not None:
            days = written.weekdays
            weekdays = (days.mon, days.tue, days.wed, days.thu, days.fri, days.sat, days.sun)
        end = written.month_end
        if not any(weekdays):
            self._report("spec", "pace", "weekdays", message="all days weigh 0", hint="one must weigh more")
        if end is not None and window is not None and end.factor == 0 and window.length <= timedelta(days=end.days):
            message = "some windows would expect no spend at all"
            self._report("spec", "pace", "monthEnd", "factor", message=message, hint="write more than 0")
        return Pace(weekdays, end.factor if end else Decimal(1), end.days if end else 0, written.time_zone or of_window)

    def _spike(self) -> Spike | None:
        alerts = self._value.spec.alerts
        if not alerts.spikes:
            return None
        return Spike(alerts.spike.factor, alerts.spike.floor_per_hour) if alerts.spike else STANDARD_SPIKE

    def _tiers(self) -> tuple[Tier, ...]:
        alerts, at = self._value.spec.alerts, ("spec", "alerts", "tiers")
        if not alerts.burn:
            if alerts.tiers is not None:
                self._report(*at, message="burn: false leaves no tiers", hint="remove one of the two")
            return ()
        if alerts.tiers is None:
            return MONEY_TIERS
        found: list[Tier] = []
        for number, part in enumerate(alerts.tiers):
            tier, faults = tier_of(part)
            self._report_faults(faults, *at, number)
            if tier is not None and tier_name(tier) in map(tier_name, found):
                message = f"there is another {tier.urgency.value} over {part.long}"
                self._report(*at, number, message=message, hint="remove one, or change its long window")
            elif tier is not None:
                found.append(tier)
        return tuple(found)

    def _stale_after(self, written: str | None) -> timedelta:
        if written is None:
            return _STALE_AFTER
        length, fault = length_of("staleAfter", written)
        self._report_faults((fault,) if fault else (), "spec", "alerts")
        return length or _STALE_AFTER

    def _report_faults(self, faults: Sequence[Fault], *at: str | int) -> None:
        for fault in faults:
            path = (*at, fault.key) if fault.key and self._document.has(*at, fault.key) else at
            self._report(*path, message=fault.message, hint=fault.hint)

    def _report(
        self,
        *path: str | int,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
    ) -> None:
        problem = self._document.problem(*path, message=message, hint=hint, severity=severity, rule=RULE, on_key=on_key)
        self.problems.append(problem)


def _share(percent: Decimal) -> str:
    return f"{(percent / 100).normalize():f}"
