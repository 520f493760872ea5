"""Opens a cost issue for every alert of a budget that fired."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.model.budget import Budget
from controlplane.model.event import Event, RecordedEvent
from controlplane.model.spend import Ledger
from controlplane.ports import HeldLease, Permanent, Store, Transient
from finops.explain.explaining import Outside, Report, explain
from finops.explain.issue import issue_of_alert
from finops.explain.tables import Asked, Periods

LOOK_BACK: Final = timedelta(days=1)  # what is explained: the day before the alert against the day before that
_EXPLAINED: Final = timedelta(days=2)  # older alerts, of a log from before there were issues, get one without
_PAGE: Final = 500
_HOUR: Final = timedelta(hours=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """What one turn did: issues opened, and how many of them without an explanation."""

    issues: int
    unexplained: int


@dataclass(slots=True)
class CostIssueDaemon:
    """Reads fired alerts of budgets from the event log and writes one cost issue for each, however often it runs.

    `outside` may be None: then issues say what fired, and no more. `budgets` are those whose scope is explained.
    `traces_at` is a URL with `{trace_id}`.
    """

    store: Store
    outside: Outside | None = None
    budgets: Callable[[], Sequence[Budget]] = tuple
    traces_at: str = ""
    _read_until: int = field(default=0, init=False)

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Opened:
        """Open what is to be opened. An explanation that cannot be had does not keep an issue from being opened.

        Raises `Transient` when the store can't be reached and `LeaseLost` when we lead no more.
        """
        opened = unexplained = 0
        known = self._known() if self._read_until == 0 else frozenset()
        for recorded in self._fired():
            told = issue_of_alert(recorded.event)
            if told is not None and told.id not in known:
                report = self._explained(recorded.event, now)
                issue = issue_of_alert(recorded.event, report, traces_at=self.traces_at)
                if issue is not None and self._append(issue, now, lease):
                    opened += 1
                    unexplained += report is None
            self._read_until = recorded.sequence
        return Opened(opened, unexplained)

    def _fired(self) -> Iterator[RecordedEvent]:
        while True:
            with self.store.transaction(read_only=True) as transaction:
                page = transaction.events.after(self._read_until, _PAGE, (names.EVENT_ALERT_FIRED,))
            yield from page
            if len(page) < _PAGE:
                return

    def _known(self) -> frozenset[str]:
        """Issues of an earlier process: what they explain is not asked again."""
        found: set[str] = set()
        sequence = 0
        while True:
            with self.store.transaction(read_only=True) as transaction:
                page = transaction.events.after(sequence, _PAGE, (names.EVENT_COST_ISSUE,))
            found.update(each.event.id for each in page)
            if len(page) < _PAGE:
                return frozenset(found)
            sequence = page[-1].sequence

    def _append(self, issue: Event, now: datetime, lease: HeldLease | None) -> bool:
        with self.store.transaction(lease=lease) as transaction:
            return transaction.events.append(issue, now)

    def _explained(self, fired: Event, now: datetime) -> Report | None:
        labels = fired.data.get("labels")
        name = labels.get(names.BUDGET) if isinstance(labels, dict) else None
        budget = next((each for each in self.budgets() if each.name == name), None)
        if self.outside is None or budget is None or now - fired.occurred_at > _EXPLAINED:
            return None
        end = fired.occurred_at - (fired.occurred_at - datetime.min.replace(tzinfo=fired.occurred_at.tzinfo)) % _HOUR
        asked = Asked(Periods.of(end - LOOK_BACK, end), Ledger.ESTIMATED, (names.SERVICE,), dict(budget.scope))
        try:
            return explain(self.outside, asked)
        except (Transient, Permanent) as error:
            log.warning("finops.issue_unexplained", extra={"budget": budget.name, "error": str(error)})
            return None
