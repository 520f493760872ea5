"""UnitCost documents as values, and everything that is wrong with them."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import LEDGER_INTERVAL, Urgency
from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Declared, Document, declared_by_name
from exporters.unit_cost.model import NoUnitsAlert, Scope, TargetAlert, UnitCost, Units
from exporters.unit_cost.queries import counter_fault, query_fault
from exporters.unit_cost.spec import UnitCostDocument, UnitsPart

RULE: Final = "unit-cost"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LENGTH: Final = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
_SIZES: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST: Final = timedelta(days=92)
_RESERVED: Final = (names.UNIT_COST, names.CURRENCY, names.SEVERITY, names.PRICE, "alertname", "alertstate", "le")


def declared(documents: Sequence[Document]) -> Declared[UnitCost]:
    """The unit costs that these documents declare, by name. One with a mistake is left out; its problems are told."""
    return declared_by_name(documents, UnitCostDocument, _read)


def _read(document: Document, value: UnitCostDocument) -> tuple[UnitCost | None, Sequence[Problem]]:
    reading = _Reading(document, value)
    return reading.unit_cost(), reading.problems


class _Reading:
    def __init__(self, document: Document, value: UnitCostDocument) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._value = value

    def unit_cost(self) -> UnitCost | None:
        """What the document says; None when an error was found."""
        spec, about = self._value.spec, self._value.metadata
        self._check_name()
        self._check_by()
        units, spread = self._units("units", spec.units), self._spread()
        alert, windows, no_units = self._alert(), self._windows(), self._no_units()
        runbook = about.annotations.get(names.ANNOTATION_RUNBOOK, "")
        if runbook and not runbook.startswith(("http://", "https://")):
            hint = "begin it with https://"
            self._report("metadata", "annotations", names.ANNOTATION_RUNBOOK, message="not a web address", hint=hint)
        labels = self._labels()
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        return UnitCost(
            name=about.name,
            currency=spec.currency,
            units=units,
            per=spec.per,
            source=self._document.position_of("metadata", "name"),
            scope=_scope(spec.scope),
            billed_scope=None if spec.billed_scope is None else _scope(spec.billed_scope),
            by=tuple(spec.by),
            spread=spread,
            target=spec.target,
            windows=windows,
            alert=alert,
            no_units=no_units,
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=runbook,
            labels=labels,
        )

    def _units(self, field: str, written: UnitsPart) -> Units:
        at = ("spec", field)
        if (written.counter is None) == (written.query is None):
            both = written.counter is not None
            message = "counter and query exclude each other" if both else "nothing is counted"
            self._report(*at, message=message, hint="exactly one of counter and query")
        elif written.counter is not None and self._is_promql(field, "counter", written.counter):
            fault = counter_fault(written.counter)
            if fault:
                hint = "write what computes units as `query`, with {{.window}} in its ranges"
                self._report(*at, "counter", message=fault, hint=hint)
        elif written.query is not None and self._is_promql(field, "query", written.query):
            fault = query_fault(written.query)
            if fault:
                hint = "such as sum by (route) (increase(calls_total[{{.window}}]))"
                self._report(*at, "query", message=fault, hint=hint)
        return Units(written.what, written.counter or "", written.query or "")

    def _spread(self) -> Units | None:
        written = self._value.spec.spread
        if written is None:
            return None
        if len(self._value.spec.by) != 1:
            message = "spreads over the values of one label"
            self._report("spec", "spread", message=message, hint="split `by` exactly one label", on_key=True)
        return self._units("spread", written)

    def _is_promql(self, field: str, form: str, text: str) -> bool:
        error = check_promql(text)
        if error is None:
            return True
        self.problems.append(
            self._document.problem(
                "spec", field, form, message=error.message, offset=error.offset, length=error.length,
                hint=error.hint, rule="promql-syntax",
            )
        )  # fmt: skip
        return False

    def _alert(self) -> TargetAlert:
        written = self._value.spec.alert
        long, short = self._length(written.long, "alert", "long"), self._length(written.short, "alert", "short")
        hold = self._length(written.hold, "alert", "for", least=timedelta(minutes=1))
        if long <= short:
            message = "the long window is not longer than the short one"
            self._report("spec", "alert", "long", message=message, hint="such as long: 1d, short: 1h")
        if self._document.has("spec", "alert") and self._value.spec.target is None:
            message = "changes nothing: without a target nobody is told"
            self._report("spec", "alert", message=message, severity=Severity.WARNING, on_key=True)
        return TargetAlert(Urgency(written.severity), long, short, hold, written.least_excess, written.keep)

    def _no_units(self) -> NoUnitsAlert | None:
        written = self._value.spec.spend_without_units
        if written is None:
            return None
        hold = self._length(written.hold, "spendWithoutUnits", "for", least=timedelta(minutes=1))
        return NoUnitsAlert(written.floor_per_hour, hold)

    def _windows(self) -> tuple[timedelta, ...]:
        written = self._value.spec.windows
        lengths = [self._length(text, "windows", number) for number, text in enumerate(written)]
        for number, length in enumerate(lengths):
            if length in lengths[:number]:
                self._report("spec", "windows", number, message=f"{written[number]} is there twice")
        return tuple(sorted(set(lengths)))

    def _length(self, text: str, *at: str | int, least: timedelta = timedelta(minutes=15)) -> timedelta:
        match = _LENGTH.fullmatch(text)
        length = timedelta(seconds=int(match[1]) * _SIZES[match[2]]) if match else timedelta(0)
        if not match:
            self._report("spec", *at, message=f"`{text}` is not a length", hint="such as 15m, 1h, 1d or 30d")
        elif not least <= length <= _LONGEST:
            message = f"must be between {least // timedelta(minutes=1)}m and {_LONGEST.days}d"
            self._report("spec", *at, message=message)
        elif least > LEDGER_INTERVAL and length % LEDGER_INTERVAL:
            self._report("spec", *at, message="must be a multiple of 5 minutes")
        return length

    def _check_name(self) -> None:
        name = self._value.metadata.name
        if not _NAME.fullmatch(name):
            hint = "lower-case letters, digits and `-`, at most 63"
            self._report("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint)

    def _check_by(self) -> None:
        written = self._value.spec.by
        for number, label in enumerate(written):
            if label in _RESERVED:
                self._report("spec", "by", number, message=f"cannot be split by `{label}`")
            elif label in written[:number]:
                self._report("spec", "by", number, message=f"`{label}` is there twice")
        for label in self._value.spec.scope:
            if label == names.CURRENCY:
                hint = "write it as spec.currency"
                self._report("spec", "scope", label, message="a unit cost has one currency", hint=hint, on_key=True)

    def _labels(self) -> tuple[tuple[str, str], ...]:
        found = []
        for key, value in self._value.metadata.labels.items():
            if not _LABEL.fullmatch(key):
                hint = "letters, digits and `_`, as Prometheus has them"
                self._report("metadata", "labels", key, message="is not a label's name", hint=hint, on_key=True)
            found.append((key, value))
        return tuple(sorted(found))

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


def _scope(written: Mapping[str, Sequence[str]]) -> Scope:
    return tuple((label, tuple(values)) for label, values in sorted(written.items()))
