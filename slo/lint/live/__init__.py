"""Rules that ask a live Prometheus, in a number of queries that grows with its metrics, not with the SLOs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.slo import SLO
from controlplane.ports import MetricsBackend, MetricsCatalogue, Permanent
from slo.lint.live.combinations import Combinations, combinations_of
from slo.lint.live.patterns import accepts, written
from slo.lint.live.selectors import NearNames, Quiet, Use, findings_of, labels_of_interest, unknown_metric, uses_of
from slo.lint.live.server import no_counter, short_retention, slow_scrapes
from slo.lint.live.traffic import measured, too_fine
from slo.lint.rule import Finding
from slo.promql.promql_text import Selector

__all__ = ["Live", "LiveFindings", "live_findings"]

_DAY: Final = timedelta(days=1)
_SELECTORS_A_QUERY: Final = 20
_MOST_QUIET: Final = 1000
_MOST_LABEL_QUERIES: Final = 50

Progress = Callable[[str, int, int], None]  # what is asked about, how many are done, of how many


@dataclass(frozen=True, slots=True)
class Live:
    """The server that is asked, and when."""

    backend: MetricsBackend
    catalogue: MetricsCatalogue
    now: datetime


@dataclass(frozen=True, slots=True)
class LiveFindings:
    """What the rules found, and what could not be checked and why."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def live_findings(slos: Sequence[SLO], live: Live, progress: Progress = lambda what, done, of: None) -> LiveFindings:
    """What every live rule finds. Raises `Transient` and `Permanent` when the server cannot be asked at all."""
    since = live.now - _DAY
    names = live.catalogue.metric_names(since, live.now)
    near = NearNames(names)
    uses = list(uses_of(slos))
    known = [use for use in uses if use.selector.name in names]
    interest = labels_of_interest(known)
    combinations, notes = combinations_of(
        interest, live.backend, live.now, lambda done: progress("metrics", done, len(interest))
    )
    findings: list[Finding] = [found for use in uses if (found := unknown_metric(use, names, near)) is not None]
    told = list(_of_selectors(known, combinations, live))
    findings += [each for each in told if isinstance(each, Finding)]
    quiet = [each for each in told if isinstance(each, Quiet)]
    findings += [each.finding for each in _still_quiet(quiet, live)]
    findings += short_retention(slos, live.catalogue.retention())
    traffic = measured(
        slos, interest, live.backend, live.now, lambda done, of: progress("the traffic of metrics", done, of)
    )
    for slo in slos:
        fine = too_fine(slo, traffic.per_hour.get(slo.name, 0))
        findings += [fine] if fine is not None else []
    return LiveFindings(tuple(dict.fromkeys(findings)), (*notes, *traffic.notes))


def _of_selectors(
    uses: Sequence[Use], combinations: Mapping[str, Combinations], live: Live
) -> Iterator[Finding | Quiet]:
    """What is wrong with the selectors, once for each SLO: total and bad are mostly wrong in the same way."""
    labels = _LabelNames(live)
    types, intervals = live.catalogue.metric_types(), live.catalogue.scrape_intervals()
    told: set[tuple[str, str]] = set()
    for use in uses:
        found: list[Finding | Quiet | None] = [no_counter(use, types)]
        of_metric = combinations.get(use.selector.name)
        if of_metric is not None:
            found += [*findings_of(use, of_metric, labels), slow_scrapes(use, of_metric, intervals)]
        for each in found:
            message = each.finding.message if isinstance(each, Quiet) else each.message if each is not None else ""
            if each is not None and (use.slo.name, message) not in told:
                told.add((use.slo.name, message))
                yield each


class _LabelNames:
    """Label names of metrics, asked for once each, and not for ever."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._known: dict[str, frozenset[str]] = {}

    def __call__(self, metric: str) -> frozenset[str]:
        if metric not in self._known:
            if len(self._known) >= _MOST_LABEL_QUERIES:
                return frozenset()
            now = self._live.now
            self._known[metric] = self._live.catalogue.label_names(metric, now - _DAY, now)
        return self._known[metric]


def _still_quiet(quiet: Sequence[Quiet], live: Live) -> Iterator[Quiet]:
    """Those whose selector matched nothing all day: a service that is down now is no mistake in a file."""
    distinct: dict[str, Selector] = {written(each.selector): each.selector for each in quiet[:_MOST_QUIET]}
    texts = list(distinct)
    seen: set[str] = set()
    for first in range(0, len(texts), _SELECTORS_A_QUERY):
        batch = texts[first : first + _SELECTORS_A_QUERY]
        try:
            series = live.catalogue.series(batch, live.now - _DAY, live.now)
        except Permanent:
            continue  # too many series: then they are not quiet, or nothing can be said
        seen |= {text for text in batch if any(_is_of(distinct[text], labels) for labels in series)}
    yield from (each for each in quiet if written(each.selector) not in seen)


def _is_of(selector: Selector, labels: Mapping[str, str]) -> bool:
    return labels.get("__name__") == selector.name and all(
        accepts(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers
    )
