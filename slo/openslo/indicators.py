"""Indicators of OpenSLO SLIs: queries found in the documents, checked, and recognized."""

from dataclasses import dataclass
from decimal import Decimal

from controlplane.model.slo import Comparison, Indicator, LatencyIndicator, RatioIndicator
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from controlplane.specfile.suggestions import short
from slo.openslo.spec import PROMETHEUS, Metric, RatioMetric, sli_spec_at
from slo.promql.written_queries import Found, Path, Written, ratio_of, raw_ratio_of, threshold_of, understood

__all__ = ["Compared", "Found", "indicator_of"]


@dataclass(frozen=True, slots=True)
class Compared:
    """What an objective asks of a thresholdMetric: `op` and `value`."""

    good_while: Comparison
    threshold: Decimal


def indicator_of(document: Document, path: Path, compared: Compared | None = None) -> Found:
    """The indicator whose spec stands at `path`: in an SLI document, or inline in an SLO or in one of its objectives.

    A thresholdMetric needs to know what it is `compared` with: without that it is only checked, and None.
    """
    spec = sli_spec_at(document, path)
    if spec.threshold_metric is not None and spec.ratio_metric is not None:
        message, hint = "thresholdMetric and ratioMetric are both given", "remove one of them"
        problem = document.problem(*path, "thresholdMetric", message=message, hint=hint, rule="indicator", on_key=True)
        return Found(None, (problem,))
    if spec.threshold_metric is not None:
        return _Reading(document, path).threshold(spec.threshold_metric, compared)
    if spec.ratio_metric is None:
        return Found(
            None,
            (document.problem(*path, message="no metric", hint="write a ratioMetric", rule="indicator", on_key=True),),
        )
    return _Reading(document, (*path, "ratioMetric")).indicator(spec.ratio_metric)


class _Reading:
    """Reads one metric and collects what is wrong with it."""

    def __init__(self, document: Document, path: Path) -> None:
        self._document = document
        self._path = path
        self._problems: list[Problem] = []

    def threshold(self, metric: Metric, compared: Compared | None) -> Found:
        written = self._query("thresholdMetric", metric)
        if written is None:
            return self._found(None)
        # Without anything to compare with, any comparison does to check the query.
        against = compared or Compared(Comparison.AT_MOST, Decimal(0))
        found = threshold_of(written, against.good_while, against.threshold)
        self._problems.extend(found.problems)
        return self._found(found.value if compared is not None else None)

    def indicator(self, ratio: RatioMetric) -> Found:
        if ratio.raw is not None:
            return self._found(self._raw(ratio, ratio.raw))
        if ratio.raw_type is not None:
            self._report("rawType", message="belongs to raw ratios", hint="remove it", on_key=True)
        return self._found(self._pair(ratio))

    def _found(self, value: Indicator | None) -> Found:
        return Found(None if self._failed() else value, tuple(self._problems))

    def _raw(self, ratio: RatioMetric, raw: Metric) -> Indicator | None:
        for key, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total)):
            if metric is not None:
                self._report(key, message="raw says it all", hint=f"remove {key} or raw", on_key=True)
        if ratio.raw_type is None:
            self._report("raw", message="no rawType", hint="write rawType: success, or failure", on_key=True)
        written = self._query("raw", raw)
        if written is None:
            return None
        found = raw_ratio_of(written, is_failure=ratio.raw_type == "failure")
        self._problems.extend(found.problems)
        return found.value

    def _pair(self, ratio: RatioMetric) -> Indicator | None:
        if ratio.good is not None and ratio.bad is not None:
            self._report("bad", message="good and bad are both given", hint="remove one of them", on_key=True)
        if ratio.total is None:
            self._report(message="no total", hint="write total: with the query for all events", on_key=True)
        if ratio.good is None and ratio.bad is None:
            self._report(message="neither good nor bad", hint="write good: or bad: with a query", on_key=True)
        metrics = (("total", ratio.total), ("good", ratio.good), ("bad", ratio.bad))
        written = {key: self._query(key, metric) for key, metric in metrics if metric is not None}
        total, good, bad = written.get("total"), written.get("good"), written.get("bad")
        if total is None or (good is None) is (bad is None):
            for each in (one for one in written.values() if one is not None):
                self._problems.extend(understood(each.document, each.path, each.text).problems)
            return None
        found = ratio_of(total, good=good, bad=bad, gauges=ratio.counter is False)
        self._problems.extend(found.problems)
        if ratio.counter is None and isinstance(found.value, RatioIndicator | LatencyIndicator):
            self._problems.append(
                self._document.problem(
                    *self._path,
                    message="`counter` is missing: the queries are read as counters",
                    on_key=True,
                    severity=Severity.WARNING,
                    rule="indicator",
                    hint="write counter: true",
                )
            )
        return found.value

    def _query(self, key: str, metric: Metric) -> Written | None:
        source = metric.metric_source
        at: Path = (key, "metricSource")
        if source.type is None and source.metric_source_ref is None:
            self._report(*at, message="no type", hint="write type: Prometheus")
        elif source.type is not None and source.type.lower() != PROMETHEUS:
            self._report(
                *at,
                "type",
                message=f"{short(source.type)} is not supported",
                hint=f"write {self._document.key(*self._path, *at, 'type')}: Prometheus",
                rule="unsupported",
            )
            return None
        given = [name for name in ("query", "promql") if name in source.spec]
        for name in source.spec.keys() - {"query", "promql", "queryType"}:
            self._problems.append(
                self._document.problem(
                    *self._path,
                    *at,
                    "spec",
                    name,
                    message="is not used",
                    severity=Severity.WARNING,
                    on_key=True,
                    rule="unused-field",
                    hint="the query is all that Prometheus needs",
                )
            )
        if len(given) != 1:
            message = "query and promql are both given" if given else "no query"
            self._report(*at, "spec", message=message, hint="write query: with PromQL", on_key=True)
            return None
        text = source.spec[given[0]]
        if not isinstance(text, str):
            self._report(*at, "spec", given[0], message="expected PromQL as text")
            return None
        return Written(self._document, (*self._path, *at, "spec", given[0]), text)

    def _failed(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def _report(
        self, *path: str | int, message: str, hint: str = "", on_key: bool = False, rule: str = "indicator"
    ) -> None:
        self._problems.append(
            self._document.problem(*self._path, *path, message=message, hint=hint, rule=rule, on_key=on_key)
        )
