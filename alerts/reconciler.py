"""Closes alerts of which Alertmanager knows nothing any more, because its "resolved" never reached us.

Alertmanager tells nobody that an alert ended when it was silenced or inhibited meanwhile, and loses it when a
restart falls between its end and the next flush. Without this, such an alert would be listed as firing for ever.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from alerts.announcing import announce
from alerts.incidents.keeping import Keeper
from alerts.ports import AlertSource
from alerts.told import is_own
from controlplane.model.alert import Alert, AlertStatus, StoredAlert
from controlplane.ports import HeldLease, Store

GRACE: Final = timedelta(minutes=5)  # Prometheus tells a restarted Alertmanager about its alerts again within 75 s
LOOKS: Final = 8  # so many in a row as well: a clock that jumps does not make time pass
REASON: Final = "reconciled"
_SAME_START: Final = timedelta(milliseconds=1)  # the API rounds starts to milliseconds
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What one look found: stored firing alerts that are missing there, and those that were closed."""

    missing: int
    closed: int


@dataclass(frozen=True, slots=True)
class _Absence:
    since: datetime
    looks: int
    stored: StoredAlert


class Reconciler:
    """Compares what we think fires with what `source` holds. Remembers absences between turns; not thread-safe.

    An alert is closed after it was absent in `LOOKS` looks in a row that span `GRACE`, all of them whole answers; any
    failure to get one, and any delivery of the alert, starts the count afresh. Its end is the first look without it.
    Alerts that never passed Alertmanager are none of its business. `incidents` hear of what was closed.
    """

    def __init__(self, store: Store, source: AlertSource, incidents: Keeper | None = None) -> None:
        self._store = store
        self._source = source
        self._incidents = incidents
        self._absent: dict[tuple[str, datetime], _Absence] = {}

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Reconciled:
        """One look. Raises what the source and the store raise; then nothing is closed."""
        with self._store.transaction(read_only=True) as transaction:
            firing = [stored for stored in transaction.alerts.firing() if not is_own(stored.alert)]
        if not firing:
            self._absent = {}
            return Reconciled(0, 0)
        before, self._absent = self._absent, {}  # a failure to ask forgets what was seen
        held = self._source.held()
        missing = [stored for stored in firing if not _holds(held.get(stored.alert.fingerprint), stored.alert)]
        self._absent = {stored.alert.key: _noted(before.get(stored.alert.key), stored, now) for stored in missing}
        over = [one for one in self._absent.values() if one.looks >= LOOKS and now - one.since >= GRACE]
        return Reconciled(len(missing), self._close(over, now, lease))

    def _close(self, over: Sequence[_Absence], now: datetime, lease: HeldLease | None) -> int:
        if not over:
            return 0
        closed: list[Alert] = []
        with self._store.transaction(lease=lease) as transaction:
            for absence in over:
                ends_at = max(absence.since, absence.stored.alert.starts_at)
                if transaction.alerts.close(absence.stored, ends_at):
                    ended = replace(absence.stored.alert, status=AlertStatus.RESOLVED, ends_at=ends_at)
                    closed.append(ended)
            is_routed = self._incidents is not None and self._incidents.is_routing
            announce(transaction, closed, now, reason=REASON, on_console=not is_routed)
            if self._incidents is not None:
                self._incidents.end(transaction, closed, now)
        for alert in closed:
            fields = {"fingerprint": alert.fingerprint, "alert": alert.labels.get("alertname", ""), "reason": REASON}
            log.warning("alerts.closed", extra=fields)
        return len(closed)


def _noted(before: _Absence | None, stored: StoredAlert, now: datetime) -> _Absence:
    if before is None or before.stored.deliveries != stored.deliveries or now < before.since:
        return _Absence(now, 1, stored)
    return replace(before, looks=before.looks + 1)


def _holds(start: datetime | None, alert: Alert) -> bool:
    """Whether what Alertmanager holds under this fingerprint, which began at `start`, is this alert, no later one."""
    return start is not None and start <= alert.starts_at + _SAME_START
