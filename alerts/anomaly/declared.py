"""AnomalyDetector documents as detectors, and everything that is wrong with them."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from alerts.anomaly.calendars.declared import calendar_terms
from alerts.anomaly.labels import LABEL_NAME, alert_labels, tell_renamed
from alerts.anomaly.model import (
    AnomalyDetector,
    CostQuery,
    Direction,
    Grouping,
    Opening,
    Output,
    Season,
    Sensitivity,
    Values,
)
from alerts.anomaly.promql_faults import QueryFault, asked, kept_labels, query_faults, vector_faults
from alerts.anomaly.spec import AnomalyDetectorDocument, AnomalyDetectorSpec, CostPart
from alerts.reporting import Report
from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.calendar.moments import length_of
from controlplane.calendar.zones import zone_names
from controlplane.model.spend import TIME_DIMENSIONS, Ledger
from controlplane.problems import Problem
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean

RULE: Final = "anomaly-detector"
_DAY: Final = timedelta(days=1)
_LEAST_STEP: Final = timedelta(minutes=1)
_STANDARD_STEP: Final = timedelta(minutes=5)
_ANNOTATION_PREFIX: Final = "flyball.dev/"
_ANNOTATIONS: Final = (names.ANNOTATION_OWNER, names.ANNOTATION_RUNBOOK)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_SHARE: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}) ?(%?)", re.ASCII)
_MOST_RELATIVE: Final = 100  # a hundredfold
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[AnomalyDetector]:
    """The detectors that these documents declare, by name. One with a mistake is left out; its problems are told."""

    def read(document: Document, value: AnomalyDetectorDocument) -> tuple[AnomalyDetector | None, Sequence[Problem]]:
        report = Report(document, RULE)
        found = _Reading(report, value).detector()
        return (None if report.has_errors else found), report.problems

    return declared_by_name(documents, AnomalyDetectorDocument, read)


class _Reading:
    def __init__(self, report: Report, value: AnomalyDetectorDocument) -> None:
        self._report = report
        self._value = value
        self._spec: AnomalyDetectorSpec = value.spec
        self._values = Values(value.spec.values)

    def detector(self) -> AnomalyDetector:
        """What the document says, as far as it could be read."""
        about, spec = self._value.metadata, self._spec
        self._report.check_name(about.name)
        self._check_annotations()
        right_step = self._step()
        step = right_step or (_STANDARD_STEP if spec.cost is None else _DAY)
        self._check_source(right_step)
        kept = self._kept_labels()
        self._check_zone()
        deviation = spec.least_deviation
        return AnomalyDetector(
            name=about.name,
            display_name=about.display_name or about.name,
            query=asked(spec.query, step) if spec.query and spec.cost is None else "",
            cost=self._cost(),
            step=step,
            season=Season(spec.season.time_zone, spec.season.daily, spec.season.weekly),
            values=self._values,
            direction=Direction(spec.direction),
            least_absolute=deviation.absolute,
            least_relative=self._relative(deviation.relative),
            denominator=self._denominator(step),
            least_denominator=spec.denominator.least if spec.denominator else None,
            sensitivity=Sensitivity(spec.sensitivity),
            outputs=tuple(Output) if spec.output == "both" else (Output(spec.output),),
            calendars=calendar_terms(self._report, spec.calendars, step=step, kept=kept),
            grouping=self._grouping(kept),
            opening=self._opening(),
            severity=spec.severity,
            most_series=spec.max_series,
            labels=alert_labels(self._report, about.labels, kept),
            runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            source=self._report.document.position_of("metadata", "name"),
        )

    def _check_annotations(self) -> None:
        for key, value in self._value.metadata.annotations.items():
            at: Path = ("metadata", "annotations", key)
            if key.startswith(_ANNOTATION_PREFIX) and key not in _ANNOTATIONS:
                self._report.unknown(*at, what="annotation", name=key, known=_ANNOTATIONS, rule="metadata")
            if key == names.ANNOTATION_RUNBOOK and not value.startswith(("http://", "https://")):
                hint = "begin it with https://"
                self._report.error(*at, message="not a web address", hint=hint, rule="metadata")

    def _step(self) -> timedelta | None:
        written, at = self._spec.step, ("spec", "step")
        is_cost = self._spec.cost is not None
        if written is None:
            return _DAY if is_cost else _STANDARD_STEP
        found = length_of(written)
        if found is None:
            self._report.error(*at, message=f"`{written}` is not a length", hint="such as 1m, 5m or 1h")
        elif not _LEAST_STEP <= found <= _DAY:
            self._report.error(*at, message=f"must be between 1m and 1d, is {written}")
        elif _DAY % found:
            self._report.error(*at, message=f"a day is no whole number of steps of {written}", hint=_near(found))
        elif is_cost and self._spec.query is None and found != _DAY:
            self._report.error(*at, message="costs are known by the day", hint="1d, or leave it out")
        else:
            return found
        return None

    def _check_source(self, step: timedelta | None) -> None:
        spec = self._spec
        if spec.query is not None and spec.cost is not None:
            self._report.error(
                "spec", "cost", message="query and cost exclude each other", hint="remove one", on_key=True
            )
        elif spec.query is None and spec.cost is None:
            if any(self._report.document.has("spec", each) for each in ("query", "cost")):
                return  # it is there, in a shape that was told
            hint = "write `query` (PromQL) or `cost` (daily spend)"
            self._report.error("spec", message="nothing is watched", hint=hint, on_key=True)
        elif spec.query is not None:
            self._tell(query_faults(spec.query, step=step, values=self._values), ("spec", "query"))
        elif self._values is not Values.GAUGE:
            self._report.error("spec", "values", message="has no meaning here: money is a gauge", hint="remove it")

    def _tell(self, faults: Iterable[QueryFault], at: Path) -> None:
        for fault in faults:
            problem = self._report.document.problem(
                *at, message=fault.message, hint=fault.hint, offset=fault.offset, length=fault.length,
                rule=fault.rule or RULE, severity=fault.severity,
            )  # fmt: skip
            self._report.problems.append(problem)

    def _kept_labels(self) -> frozenset[str] | None:
        """The labels that series have at most; None where that is not known."""
        if self._spec.query is not None:
            kept = kept_labels(self._spec.query)
            tell_renamed(self._report, kept or (), ("spec", "query"))
            return kept
        cost = self._spec.cost
        if cost is None:
            return None
        return frozenset((*cost.by, *(() if cost.currency else (names.CURRENCY,))))

    def _cost(self) -> CostQuery | None:
        written = self._spec.cost
        if written is None:
            return None
        at: Path = ("spec", "cost")
        for number, dimension in enumerate(written.by):
            if dimension in written.by[:number]:
                self._report.error(*at, "by", number, message=f"`{dimension}` is there twice")
            self._check_dimension(dimension, (*at, "by", number), on_key=False)
        for dimension in written.where:
            self._check_dimension(dimension, (*at, "where", dimension), on_key=True)
        tell_renamed(self._report, written.by, (*at, "by"))
        self._check_currency(written)
        where = {dimension: tuple(dict.fromkeys(values)) for dimension, values in written.where.items()}
        return CostQuery(Ledger(written.ledger), tuple(written.by), where or None, written.currency or "")

    def _check_dimension(self, dimension: str, at: Path, *, on_key: bool) -> None:
        if dimension in TIME_DIMENSIONS:
            self._report.error(*at, message="time is split into days already", hint="remove it", on_key=on_key)
        elif dimension == names.CURRENCY:
            self._report.error(*at, message="is no dimension", hint="write `currency: USD`", on_key=on_key)

    def _check_currency(self, written: CostPart) -> None:
        if written.currency is not None and not _CURRENCY.fullmatch(written.currency):
            upper = written.currency.upper()
            meant = f", did you mean `{upper}`?" if _CURRENCY.fullmatch(upper) else ""
            message = f"`{written.currency[:20]}` is not a currency{meant}"
            hint = "" if meant else "three capitals, such as USD"
            self._report.error("spec", "cost", "currency", message=message, hint=hint)

    def _check_zone(self) -> None:
        name = self._spec.season.time_zone
        if name not in zone_names():
            meant = did_you_mean(name, zone_names())
            message = f"`{name[:80]}` is not a time zone" + (f", did you mean `{meant}`?" if meant else "")
            hint = "" if meant else "an IANA name such as Europe/Berlin"
            self._report.error("spec", "season", "timeZone", message=message, hint=hint)

    def _relative(self, written: str | None) -> Decimal | None:
        if written is None:
            return None
        at: Path = ("spec", "leastDeviation", "relative")
        match = _SHARE.fullmatch(written)
        if match is None:
            self._report.error(*at, message=f"`{written}` is not a share", hint="such as 10% or 0.1")
            return None
        share = Decimal(match[1]) / (100 if match[2] else 1)
        if share > _MOST_RELATIVE:
            message = f"deviations of less than {share:f} times what is expected are none: nothing would be told"
            self._report.error(*at, message=message, hint=f"write {match[1]}% if that is meant")
        elif share >= 1 and not match[2]:
            message = f"{written} is {share * 100:f}% of what is expected"
            self._report.warning(*at, message=message, hint=f"write {match[1]}% if that is meant")
        return share

    def _denominator(self, step: timedelta) -> str:
        part, at = self._spec.denominator, ("spec", "denominator")
        if part is None:
            if self._values is Values.RATIO and self._spec.cost is None:
                message = "a ratio of few events jumps by itself, and what it is a share of is not known"
                hint = "add denominator: {query: …, least: 100}"
                self._report.warning("spec", "values", message=message, hint=hint)
            return ""
        if self._values is not Values.RATIO:
            hint = "write `values: ratio`, or remove it"
            self._report.error(*at, message="only ratios have a denominator", hint=hint, on_key=True)
        self._tell(vector_faults(part.query), (*at, "query"))
        kept = kept_labels(part.query)
        of_query = kept_labels(self._spec.query) if self._spec.query is not None else None
        if kept is not None and of_query is not None and kept != of_query:
            shown = ", ".join(f"`{label}`" for label in sorted(of_query)) or "none"
            message = "its labels are not those of the query: no series finds its denominator"
            self._report.error(*at, "query", message=message, hint=f"the query's: {shown}")
        return asked(part.query, step)

    def _grouping(self, kept: frozenset[str] | None) -> Grouping | None:
        part, at = self._spec.grouping, ("spec", "grouping")
        if part is None:
            return None
        for number, label in enumerate(part.by):
            if label in part.by[:number]:
                self._report.error(*at, "by", number, message=f"`{label}` is there twice")
            elif kept is not None and label not in kept:
                meant = did_you_mean(label, kept)
                message = f"the series have no label `{label}`" + (f", did you mean `{meant}`?" if meant else "")
                hint = "" if meant else f"they have: {', '.join(sorted(kept))}" if kept else "they have none"
                self._report.error(*at, "by", number, message=message, hint=hint)
            elif not LABEL_NAME.fullmatch(label):
                hint = "letters, digits and `_`, as Prometheus has them"
                self._report.error(*at, "by", number, message=f"`{label[:80]}` is not a label's name", hint=hint)
        if kept is not None and kept <= frozenset(part.by):
            message = "each series is a group of its own: the groups have all labels that there are"
            hint = "leave out `grouping`, or labels of `by`"
            self._report.warning(*at, message=message, hint=hint, on_key=True)
        if part.aggregate == "sum" and self._values is Values.RATIO:
            message = "a sum of ratios is no ratio"
            hint = "aggregate: mean"
            self._report.warning(*at, "aggregate", message=message, hint=hint)
        rate = part.false_discovery_rate
        return Grouping(tuple(part.by), part.aggregate, None if rate == 1 else rate)

    def _opening(self) -> Opening:
        part = self._spec.open
        of = part.steps if part.of is None else part.of
        if of < part.steps:
            message = f"{part.steps} of the last {of} steps is never reached"
            self._report.error("spec", "open", "of", message=message, hint=f"at least {part.steps}")
        return Opening(part.steps, of, part.close_after)


def _near(step: timedelta) -> str:
    """Steps near the one written of which a day is a whole number."""
    minutes = max(1, round(step / _LEAST_STEP))
    fitting = [each for each in range(1, 1441) if 1440 % each == 0]
    below = max(each for each in fitting if each <= minutes)
    above = min(each for each in fitting if each >= minutes)
    shown = [duration(timedelta(minutes=each)) for each in dict.fromkeys((below, above))]
    return f"such as {' or '.join(shown)}"
