"""Indicators of OpenSLO SLIs: queries checked, and recognized as a ratio or as a latency."""

from dataclasses import dataclass
from decimal import Decimal

from controlplane.model.slo import Comparison, Indicator
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.spec import PROMETHEUS, Metric, RatioMetric, sli_spec_at
from slo.written_queries import Found, Path, ReadQuery, bad_of_total, good_of_total, understood

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
    if spec.threshold_metric is not None:
        return _refused(
            document,
            (*path, "thresholdMetric"),
            "thresholdMetric is not supported yet",
            "write a ratioMetric: good (or bad) and total events",
        )
    if spec.ratio_metric is None:
        return Found(
            None,
            (document.problem(*path, message="no metric", hint="write a ratioMetric", rule="indicator", on_key=True),),
        )
    return _Reading(document, (*path, "ratioMetric")).indicator(spec.ratio_metric)


def _refused(document: Document, path: Path, message: str, hint: str) -> Found:
    return Found(None, (document.problem(*path, message=message, hint=hint, rule="unsupported", on_key=True),))


class _Reading:
    """Reads one ratioMetric and collects what is wrong with it."""

    def __init__(self, document: Document, path: Path) -> None:
        self._document = document
        self._path = path
        self._problems: list[Problem] = []

    def indicator(self, ratio: RatioMetric) -> Found:
        if ratio.raw is not None:
            return _refused(
                self._document,
                (*self._path, "raw"),
                "raw ratios are not supported yet",
                "write good (or bad) and total events",
            )
        if ratio.raw_type is not None:
            self._report("rawType", message="belongs to raw ratios", hint="remove it", on_key=True)
        value = self._pair(ratio)
        return Found(value, tuple(self._problems))

    def _pair(self, ratio: RatioMetric) -> Indicator | None:
        if ratio.good is not None and ratio.bad is not None:
            self._report("bad", message="good and bad are both given", hint="remove one of them", on_key=True)
        if ratio.total is None:
            self._report(message="no total", hint="write total: with the query for all events", on_key=True)
        if ratio.good is None and ratio.bad is None:
            self._report(message="neither good nor bad", hint="write good: or bad: with a query", on_key=True)
        metrics = (("total", ratio.total), ("good", ratio.good), ("bad", ratio.bad))
        read = {key: self._query(key, metric) for key, metric in metrics if metric is not None}
        self._check_counter(ratio, read)
        total, good, bad = read.get("total"), read.get("good"), read.get("bad")
        if self._failed() or total is None:
            return None
        if good is not None:
            found = good_of_total(good, total)
        else:
            assert bad is not None
            found = bad_of_total(bad, total)
        self._problems.extend(found.problems)
        return found.value

    def _check_counter(self, ratio: RatioMetric, read: dict[str, ReadQuery | None]) -> None:
        if ratio.counter is None:
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
        elif not ratio.counter and any(query is not None and query.events.bare for query in read.values()):
            self._report(
                "counter",
                message="gauges are not supported yet",
                on_key=True,
                rule="unsupported",
                hint="write counter: true if the queries give counters",
            )

    def _query(self, key: str, metric: Metric) -> ReadQuery | None:
        source = metric.metric_source
        at: Path = (key, "metricSource")
        if source.type is None and source.metric_source_ref is None:
            self._report(*at, message="no type", hint="write type: Prometheus")
        elif source.type is not None and source.type.lower() != PROMETHEUS:
            self._report(
                *at,
                "type",
                message=f"{source.type} is not supported",
                hint="write type: Prometheus",
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
        return self._understood((*self._path, *at, "spec", given[0]), text)

    def _understood(self, path: Path, text: str) -> ReadQuery | None:
        found = understood(self._document, path, text)
        self._problems.extend(found.problems)
        return found.query

    def _failed(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self._problems)

    def _report(
        self, *path: str | int, message: str, hint: str = "", on_key: bool = False, rule: str = "indicator"
    ) -> None:
        self._problems.append(
            self._document.problem(*self._path, *path, message=message, hint=hint, rule=rule, on_key=on_key)
        )
