"""Notes when the Watchdog arrived last, and pages by itself when it stops arriving.

That page needs neither Prometheus nor Alertmanager: those are what may be broken. Else it is an alert like any other.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.watchdog import texts
from alerts.watchdog.rules import SILENT_AFTER
from controlplane import conventions as names
from controlplane import incident_names as ours
from controlplane import wording
from controlplane.model.alert import Alert, AlertStatus
from controlplane.ports import HeldLease, Store, Transaction

EVERY: Final = timedelta(seconds=15)
CURSOR: Final = "watchdog"  # among the cursors: the Unix time at which it arrived last, in milliseconds
FINGERPRINT: Final = hashlib.sha256(b"flyball:WatchdogSilent").hexdigest()[:16]
_LABELS: Final = {
    "alertname": ours.ALERT_WATCHDOG_SILENT,
    names.SEVERITY: names.SEVERITY_PAGE,
    names.SERVICE: "flyball",
}
_MILLISECOND: Final = timedelta(milliseconds=1)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """When it arrived last (None: never), and since when it counts as silent (None: it does not)."""

    seen_at: datetime | None
    silent_since: datetime | None = None


def is_watchdog(alert: Alert) -> bool:
    """Whether it is the alert that fires always."""
    return alert.labels.get("alertname") == ours.ALERT_WATCHDOG


def last_seen(transaction: Transaction) -> datetime | None:
    """When it arrived last, as far as that was noted."""
    milliseconds = transaction.incidents.cursor(CURSOR)
    return _EPOCH + milliseconds * _MILLISECOND if milliseconds else None


class WatchdogDaemon:
    """`take_own` takes in alerts of ours (`alerts.intake`). `is_expected`: whether routes lead the Watchdog here.

    One that never arrived is no silence: who has not connected Alertmanager yet is not paged for it.
    """

    def __init__(
        self,
        store: Store,
        take_own: Callable[[Alert, datetime], object],
        *,
        is_expected: Callable[[], bool],
    ) -> None:
        self._store = store
        self._take_own = take_own
        self._is_expected = is_expected

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Watched:
        """Look once. Raises what the store raises."""
        with self._store.transaction(read_only=True) as transaction:
            noted = last_seen(transaction)
            firing = transaction.alerts.firing()
        arrived = [stored.last_received_at for stored in firing if is_watchdog(stored.alert)]
        seen = max([*arrived, *([noted] if noted else [])], default=None)
        with self._store.transaction(lease=lease) as transaction:  # also: we still lead
            if seen is not None and (noted is None or seen - noted >= _MILLISECOND):
                transaction.incidents.put_cursor(CURSOR, (seen - _EPOCH) // _MILLISECOND)
        silent = seen is not None and self._is_expected() and now - seen >= SILENT_AFTER
        raised = [stored for stored in firing if stored.alert.fingerprint == FINGERPRINT]
        if silent and seen is not None:
            if not raised:
                self._page(seen, now)
            return Watched(seen, seen + SILENT_AFTER)
        for stored in raised:
            self._end(stored.alert, now)
        return Watched(seen)

    def _page(self, seen: datetime, now: datetime) -> None:
        """One silence is one alert, whoever finds it: its start follows from what was seen last."""
        log.error("alerts.watchdog_silent", extra={"seen": seen.isoformat()})
        started = seen + SILENT_AFTER
        self._take_own(Alert(FINGERPRINT, started, AlertStatus.FIRING, _LABELS, _annotations(seen)), now)

    def _end(self, alert: Alert, now: datetime) -> None:
        log.info("alerts.watchdog_heard", extra={"silent_since": alert.starts_at.isoformat()})
        ends_at = max(now, alert.starts_at)
        self._take_own(replace(alert, status=AlertStatus.RESOLVED, ends_at=ends_at), now)


def _annotations(seen: datetime) -> dict[str, str]:
    since = f"No Watchdog has reached Flyball since {wording.utc(seen)}"
    return {**dict(texts.watchdog_silent()), names.SUMMARY: since}


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
