"""Live rules about the server itself: how long it keeps data, how often it scrapes, what it takes for a counter."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final

from controlplane.burn_rate import duration
from controlplane.model.slo import SLO
from slo.lint import rules
from slo.lint.live.combinations import Combinations
from slo.lint.live.patterns import is_certain
from slo.lint.live.selectors import Use
from slo.lint.queries import Purpose
from slo.lint.rule import About, Finding

WIDEST_SCRAPE: Final = timedelta(minutes=2)  # RULES: slower than that, ranges of 5 minutes miss samples


def short_retention(slos: Iterable[SLO], kept: timedelta | None) -> Iterator[Finding]:
    """Windows that Prometheus does not keep."""
    for slo in slos:
        if kept is not None and kept < slo.window.length:
            covered = round(100 * (kept / slo.window.length))
            message = f"Prometheus keeps {duration(kept)}, the window is {duration(slo.window.length)}"
            hint = f"its coverage will not pass {covered} %: raise the retention, or shorten the window"
            yield Finding(rules.RETENTION_TOO_SHORT, slo.source, message, hint, About.WINDOW)


def slow_scrapes(use: Use, live: Combinations, intervals: Mapping[str, timedelta]) -> Finding | None:
    """Jobs behind a selector that are scraped too rarely."""
    if use.asked.purpose is not Purpose.TOTAL or not is_certain(use.selector):
        return None
    jobs = {labels.get("job", "") for labels in live.matching(use.selector.matchers)}
    slow = {job: intervals[job] for job in jobs if intervals.get(job, WIDEST_SCRAPE) > WIDEST_SCRAPE}
    if not slow:
        return None
    job, interval = max(slow.items(), key=lambda each: each[1])
    message = f"job {job} is scraped every {duration(interval)}: too rarely for rates over 5 minutes"
    return use.finding(rules.SCRAPE_TOO_SLOW, message, "scrape it every minute, at least every 2 minutes")


def no_counter(use: Use, types: Mapping[str, str]) -> Finding | None:
    """Gauges whose rate is taken."""
    if use.asked.counted and types.get(use.selector.name) == "gauge":
        message = f"`{use.selector.name}` is a gauge, and counted as if it were a counter"
        return use.finding(rules.NOT_A_COUNTER, message, "give a counter, or write a thresholdMetric")
    return None
