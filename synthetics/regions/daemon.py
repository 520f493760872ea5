"""Judging: from what regions saw to verdicts that stand and events that tell of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from controlplane.model.event import Event
from controlplane.ports import HeldLease, Store
from synthetics.regions.changes import events_of
from synthetics.regions.model import Watch
from synthetics.regions.recent import RecentRuns
from synthetics.regions.verdicts import Evidence, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """What one turn did: results that were read, verdicts that stand, events that are new."""

    results: int
    verdicts: int
    events: tuple[Event, ...]


class Judging:
    """Keeps verdicts up with results. One thread drives it, every two seconds or so.

    `watch` says what is declared now; a check that is not is forgotten with its verdict.
    """

    def __init__(self, store: Store, watch: Callable[[], Watch]) -> None:
        self._store = store
        self._watch = watch
        self._recent = RecentRuns()
        self._watching_since: datetime | None = None

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Judged:
        """Read what came, judge, and store verdicts and events, in one transaction."""
        watch = self._watch()
        self._watching_since = self._watching_since or now
        with self._store.transaction(lease=lease) as transaction:
            checks = transaction.checks
            results = self._recent.follow(checks, now)
            contacts = {contact.region: contact for contact in checks.contacts()}
            previous = {verdict.key: verdict for verdict in checks.verdicts()}
            evidence = Evidence(self._recent.runs, contacts, self._watching_since)
            verdicts = judge(watch, evidence, previous, now)
            events = events_of(previous, verdicts, now)
            checks.put_verdicts(verdicts, now)
            transaction.events.append_all(events, now)
        return Judged(results, len(verdicts), tuple(events))


class Forgetting:
    """Drops what is old: single results after some days, hours and reports' numbers with them; totals stay.

    `results_kept` is at least a day: a report may bring results of the last 22 hours, which must not count again.
    """

    def __init__(self, store: Store, *, results_kept: timedelta, hours_kept: timedelta) -> None:
        self._store = store
        self._results_kept = max(results_kept, timedelta(days=1))
        self._hours_kept = hours_kept

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> int:
        """Drop them; how many rows it was. Hourly, so that it never is many."""
        with self._store.transaction(lease=lease) as transaction:
            return transaction.checks.purge(now - self._results_kept, now - self._hours_kept)
