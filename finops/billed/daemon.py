"""Imports every declared source once in a while, and tells Prometheus how the bills stand."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from controlplane import conventions as names
from controlplane.model.event import Event
from controlplane.ports import Permanent, Transient
from controlplane.problems import Problem
from finops.billed.events import events_of
from finops.billed.model import CostSource
from finops.billed.outcome import Outcome
from finops.billed.ports import Catalogued, Importing

log = logging.getLogger(__name__)
_RULE: Final = "unreachable"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: an outcome a source, and what the event log should hear."""

    outcomes: tuple[Outcome, ...]
    events: tuple[Event, ...]


@dataclass(slots=True)
class BilledDaemon:
    """Imports; one source that cannot be read takes no other with it. `latest` is what the last turn did."""

    importer: Importing
    latest: Turn | None = field(default=None, init=False)

    def run_once(self, sources: Sequence[CostSource], now: datetime) -> Turn:
        """Import every source that has new files."""
        outcomes = tuple(self._imported(source, now) for source in sources)
        events = tuple(event for outcome in outcomes for event in events_of(outcome.imported))
        self.latest = Turn(outcomes, events)
        return self.latest

    def _imported(self, source: CostSource, now: datetime) -> Outcome:
        try:
            outcome = self.importer.run(source, now)
        except (Transient, Permanent) as error:
            outcome = Outcome(source.name, problems=(Problem(source.path, 1, 1, "", str(error), rule=_RULE),))
        for problem in outcome.problems[:10]:
            about = {"source": source.name, "rule": problem.rule, "at": str(problem.position)}
            log.warning("finops.bill_problem", extra={**about, "reason": problem.message})
        for each in outcome.imported:
            key, state = each.partition.key, each.state.value
            log.info("finops.bill", extra={"source": key.source, "period": key.period_name, "state": state})
        return outcome


class BilledCollector(Collector):
    """How far the bills reach, how many rows count, and the faults in them, by source."""

    def __init__(self, ledger: Catalogued) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Nothing while the ledger cannot be read: absent is not zero."""
        until = GaugeMetricFamily(names.BILLED_UNTIL, "End of the latest charge period.", labels=["source"])
        rows = GaugeMetricFamily(names.BILLED_ROWS, "Rows of the ledger that count.", labels=["source"])
        faults = GaugeMetricFamily(
            names.BILLED_FAULTS, "Faulty values of the latest import.", labels=["source", "fault"]
        )
        try:
            catalogue = self._ledger.catalogue()
        except (Transient, Permanent):
            return
        for source in sorted({key.source for key in catalogue.partitions}):
            parts = catalogue.of_source(source)
            ends = [each.until for each in parts if each.until]
            if ends:
                until.add_metric([source], max(ends).timestamp())
            rows.add_metric([source], sum(each.rows for each in parts))
            latest = max(each.imported_at for each in parts)
            counts: dict[str, int] = {}
            for found in (found for each in parts if each.imported_at == latest for found in each.faults):
                counts[found.fault] = counts.get(found.fault, 0) + found.rows
            for fault in sorted(counts):
                faults.add_metric([source, fault], counts[fault])
        yield from (until, rows, faults)
