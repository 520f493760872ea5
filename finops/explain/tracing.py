"""Requests that show why a service costs what it does: exemplars of its metrics."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from controlplane import conventions as names
from controlplane.model.exemplar import Exemplar
from finops.explain.model import Trace
from finops.explain.ports import ExemplarSource
from finops.explain.tables import Periods

TRACE_ID_LABELS: Final = ("trace_id", "traceID", "traceId")  # OpenMetrics' own example, and what SDKs write
MOST_SERVICES: Final = 5
EACH: Final = 3
_TRACE_ID: Final = re.compile(r"[0-9a-fA-F]{16,32}")


def fetch_traces(source: ExemplarSource, services: Sequence[str], periods: Periods) -> tuple[Trace, ...]:
    """A few traces of each of the first services in the later period. Raises what the source raises."""
    found: list[Trace] = []
    for service in [each for each in services if each][:MOST_SERVICES]:
        selector = f'{{{names.SERVICE}="{_quoted(service)}"}}'
        found += largest(service, source.exemplars(selector, periods.start, periods.end))
    return tuple(found)


def largest(service: str, exemplars: Iterable[Exemplar]) -> list[Trace]:
    """The traces with the largest values (the slowest, the costliest), each once; ids that are none are left out."""
    best: dict[str, Trace] = {}
    for each in exemplars:
        trace_id = next((each.labels[label] for label in TRACE_ID_LABELS if label in each.labels), "")
        if not _TRACE_ID.fullmatch(trace_id) or each.value != each.value:
            continue
        if trace_id not in best or best[trace_id].value < each.value:
            metric = each.series.get("__name__", "")
            best[trace_id] = Trace(service, trace_id, each.at, each.value, metric)
    return sorted(best.values(), key=lambda trace: (-trace.value, trace.at, trace.trace_id))[:EACH]


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
