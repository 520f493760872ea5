"""The last runs of every check and region, kept up with the store: each result is read from it once."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from controlplane.check_ports import CheckLog
from controlplane.model.check import CheckResult
from synthetics.regions.runs import KEPT, Run, run_of
from synthetics.regions.verdicts import RunKey

LOOK_BACK: Final = timedelta(days=2)
_AT_ONCE: Final = 10_000  # results


class RecentRuns:
    """Follows one store. What is read in a transaction that fails is as true as if it had not."""

    def __init__(self) -> None:
        self._runs: dict[RunKey, list[Run]] = {}
        self._arrival: int | None = None

    @property
    def runs(self) -> Mapping[RunKey, Sequence[Run]]:
        """The newest 21 of each check and region, oldest first."""
        return self._runs

    def follow(self, checks: CheckLog, now: datetime) -> int:
        """Read what came since; how many results it was."""
        if self._arrival is None:
            arrival = checks.last_arrival()  # first: what comes meanwhile is read again, which changes nothing
            return self._take(checks.latest(KEPT, now - LOOK_BACK, is_brief=True), arrival)
        read = 0
        while True:
            found, arrival = checks.arrived(self._arrival, _AT_ONCE, is_brief=True)
            read += self._take(found, arrival)
            if len(found) < _AT_ONCE:
                return read

    def forget(self, keep: frozenset[RunKey]) -> None:
        """Drop what nobody asks for any more."""
        for key in self._runs.keys() - keep:
            del self._runs[key]

    def _take(self, results: Sequence[CheckResult], arrival: int) -> int:
        for result in results:
            kind, check, region, _ = result.key
            self._insert(self._runs.setdefault((kind, check, region), []), run_of(result))
        self._arrival = arrival
        return len(results)

    def _insert(self, runs: list[Run], run: Run) -> None:
        if not runs or run.started_at > runs[-1].started_at:  # nearly always
            runs.append(run)
        else:
            place = bisect_left(runs, run.started_at, key=lambda each: each.started_at)
            if place < len(runs) and runs[place].started_at == run.started_at:
                return
            runs.insert(place, run)
        if len(runs) > KEPT:
            del runs[0]
