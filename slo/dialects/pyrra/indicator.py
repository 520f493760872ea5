"""Pyrra's indicators: bare metrics, grouped by labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from controlplane.burn_rate import seconds
from controlplane.model.slo import Indicator, NativeLatencyIndicator
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.dialects.durations import prometheus_duration
from slo.dialects.pyrra import spec as pyrra
from slo.indicators.indicator import queries_of
from slo.own_settings import NOT_GROUPS
from slo.promql.event_query import QueryFault
from slo.promql.value_query import value_query
from slo.promql.written_queries import Found as FoundIndicator
from slo.promql.written_queries import Written, bool_gauge, query_problem, ratio_of

_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MOVED: Final = "exported_"  # what Prometheus itself puts before a label that is taken
_KEYS: Final = {"ratio": "ratio", "latency": "latency", "latency_native": "latencyNative", "bool_gauge": "bool_gauge"}
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An indicator (None when it cannot be used) and the labels by which it is grouped."""

    value: Indicator | None
    groups: tuple[str, ...]
    problems: tuple[Problem, ...]


def indicator_of(document: Document, written: pyrra.Indicator) -> Found:
    """The indicator of a document."""
    given = [key for key in _KEYS if getattr(written, key) is not None]
    if len(given) != 1:
        listed = " and ".join(_KEYS[key] for key in given)
        message = f"{listed} are given, an SLO has one indicator" if given else "no indicator"
        hint = "keep one of them" if given else "write ratio:, latency:, latencyNative: or bool_gauge:"
        problem = document.problem("spec", "indicator", message=message, hint=hint, rule="indicator", on_key=True)
        return Found(None, (), (problem,))
    reading = _Reading(document, ("spec", "indicator", _KEYS[given[0]]))
    return reading.found(getattr(written, given[0]))


def job_of(indicator: Indicator) -> str:
    """The job that the indicator's queries select, empty when they do not select one by its name."""
    queries = queries_of(indicator) if not hasattr(indicator, "parts") else ()
    jobs = {
        matcher.value
        for _, query in queries
        for selector in value_query(query.text).selectors
        for matcher in selector.matchers
        if matcher.label == "job" and matcher.operator == "="
    }
    return jobs.pop() if len(jobs) == 1 else ""


class _Reading:
    """Reads one indicator and collects what is wrong."""

    def __init__(self, document: Document, path: _Path) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._path = path
        self._moved: dict[str, str] = {}

    def found(self, written: pyrra.Ratio | pyrra.Latency | pyrra.LatencyNative | pyrra.BoolGauge) -> Found:
        groups = self._groups(written.grouping)
        value = self._value(written)
        return Found(value, groups, tuple(self.problems))

    def _value(self, written: pyrra.Ratio | pyrra.Latency | pyrra.LatencyNative | pyrra.BoolGauge) -> Indicator | None:
        match written:
            case pyrra.Ratio(errors=errors, total=total):
                return self._pair("errors", errors, total)
            case pyrra.Latency(success=success, total=total):
                return self._pair("success", success, total)
            case pyrra.LatencyNative(latency=latency, total=total):
                return self._native(latency, total)
            case pyrra.BoolGauge(metric=metric):
                gauge = self._metric((*self._path, "metric"), metric)
                return None if gauge is None else self._taken(bool_gauge(gauge))
        raise TypeError(type(written).__name__)

    def _pair(self, key: str, one: pyrra.Metric, every: pyrra.Metric) -> Indicator | None:
        counted = self._metric((*self._path, key, "metric"), one.metric)
        total = self._metric((*self._path, "total", "metric"), every.metric)
        if one.metric == every.metric:
            self._tell((*self._path, key, "metric"), f"{key} and total are the same", "narrow it by a matcher")
        if counted is None or total is None:
            return None
        is_bad = key == "errors"
        return self._taken(ratio_of(total, bad=counted) if is_bad else ratio_of(total, good=counted))

    def _native(self, latency: str, total: pyrra.Metric) -> Indicator | None:
        length, fault = prometheus_duration(latency)
        if fault:
            self._tell((*self._path, "latency"), fault)
        histogram = self._metric((*self._path, "total", "metric"), total.metric)
        if fault or histogram is None:
            return None
        return NativeLatencyIndicator(histogram.query, seconds(length).normalize())

    def _taken(self, found: FoundIndicator) -> Indicator | None:
        self.problems += found.problems
        return found.value

    def _metric(self, path: _Path, metric: str) -> Written | None:
        """The metric, its labels moved out of the way of ours; None when it is none."""
        if not metric:
            self._tell(path, "must not be empty")
            return None
        try:
            query = value_query(metric)
        except QueryFault as fault:
            self.problems.append(query_problem(self._document, path, metric, fault))
            return None
        if not query.is_selector:
            self._tell(path, "expected a metric without any function", 'write its name and matchers: x{job="a"}')
            return None
        text = metric.strip()
        for label, moved in self._moved.items():
            text = f'label_replace({text}, "{moved}", "$1", "{label}", "(.*)")'
        return Written(self._document, path, text)

    def _groups(self, written: Sequence[str]) -> tuple[str, ...]:
        groups = []
        for index, label in enumerate(written):
            path = (*self._path, "grouping", index)
            if not _LABEL.fullmatch(label) or label.startswith("__") or label == "le":
                self._tell(path, f"`{label[:60]}` cannot be grouped by", "labels of the metric")
            elif label in NOT_GROUPS:
                self._moved[label] = f"{_MOVED}{label}"
                groups.append(self._moved[label])
                message = f"Flyball sets `{label}` itself: its values are in `{self._moved[label]}`"
                self.problems.append(
                    self._document.problem(*path, message=message, severity=Severity.WARNING, rule="metadata")
                )
            else:
                groups.append(label)
        return tuple(dict.fromkeys(groups))

    def _tell(self, path: _Path, message: str, hint: str = "") -> None:
        self.problems.append(self._document.problem(*path, message=message, hint=hint, rule="indicator"))
