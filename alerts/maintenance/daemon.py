"""Keeps Alertmanager's silences in step with the maintenance windows."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.maintenance.model import MaintenanceWindow
from alerts.maintenance.silencing import changes, window_of
from alerts.ports import SilenceKeeper
from controlplane.ports import HeldLease, Permanent, Transient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Silenced:
    """What one turn did: silences that were put or changed, and ended."""

    put: int
    expired: int


class SilenceDaemon:
    """Looks at what is there and changes what differs. Silences that people made are left alone.

    `windows` gives those of the last good files: while files have mistakes, what was declared before holds. Until it
    gave some, nothing is ended, since files that were not read yet declare nothing either.
    """

    def __init__(self, keeper: SilenceKeeper, windows: Callable[[], Sequence[MaintenanceWindow]]) -> None:
        self._keeper = keeper
        self._windows = windows
        self._knows_some = False

    def run_once(self, now: datetime, lease: HeldLease | None = None) -> Silenced:
        """One turn. Raises what the keeper raises when it cannot be asked, or after all when a change failed."""
        del lease  # whoever leads no more changes nothing that the next leader would not change as well
        windows = self._windows()
        self._knows_some = self._knows_some or bool(windows)
        if not self._knows_some:
            return Silenced(0, 0)
        todo = changes(windows, self._keeper.silences(), now)
        failure: Exception | None = None
        put = expired = 0
        for silence in todo.put:
            try:
                given = self._keeper.put(silence)
            except (Transient, Permanent) as error:
                failure = error
                continue
            put += 1
            log.info(
                "alerts.silenced", extra={"window": window_of(silence), "silence": given, "until": silence.ends_at}
            )
        for each in todo.expire:
            try:
                self._keeper.expire(each)
            except (Transient, Permanent) as error:
                failure = error
                continue
            expired += 1
            log.info("alerts.silence_ended", extra={"silence": each})
        if failure is not None:
            raise failure
        return Silenced(put, expired)
