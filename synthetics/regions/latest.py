"""The newest result of every check and region with all that it measured, kept up with the store."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from controlplane.check_ports import CheckLog
from controlplane.model.check import CheckResult
from synthetics.regions.recent import LOOK_BACK
from synthetics.regions.verdicts import RunKey

_AT_ONCE: Final = 10_000  # results


class LatestResults:
    """Follows one store. What is read in a transaction that fails is as true as if it had not."""

    def __init__(self) -> None:
        self._results: dict[RunKey, CheckResult] = {}
        self._arrival: int | None = None

    @property
    def results(self) -> Mapping[RunKey, CheckResult]:
        """By kind, check and region."""
        return self._results

    def follow(self, checks: CheckLog, now: datetime) -> None:
        """Read what came since."""
        if self._arrival is None:
            arrival = checks.last_arrival()  # first: what comes meanwhile is read again, which changes nothing
            self._take(checks.latest(1, now - LOOK_BACK))
            self._arrival = arrival
            return
        while True:
            found, self._arrival = checks.arrived(self._arrival, _AT_ONCE)
            self._take(found)
            if len(found) < _AT_ONCE:
                return

    def _take(self, results: Sequence[CheckResult]) -> None:
        for result in results:
            kind, check, region, started_at = result.key
            known = self._results.get((kind, check, region))
            if known is None or known.started_at < started_at:
                self._results[kind, check, region] = result
