"""What the pages about checks show, read from the database in bounded time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.check import CheckResult
from flyball.web.check_state import ChecksState
from flyball.web.gathering import Gathering, Scene
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState
from synthetics import check_history, grid
from synthetics.check_history import Strip
from synthetics.grid import BARS, DeclaredCheck, Grid, Observed

_FRESH: Final = timedelta(seconds=5)
_LATEST: Final = timedelta(days=2)  # how far back the last run of a check is looked for
_MOST_RESULTS: Final = 20_000  # read for one grid


@dataclass(frozen=True, slots=True)
class CheckPast:
    """Of one check: the results of its last hours, oldest first, and a week by the hour."""

    results: tuple[CheckResult, ...]
    strips: tuple[Strip, ...]


class CheckGathering:
    """Asks, and remembers for a few seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState, checks: ChecksState, gathering: Gathering) -> None:
        self._state = state
        self._checks = checks
        self._gathering = gathering
        self._seen: Remembered[Observed] = Remembered(state.clock, fresh_for=_FRESH)
        self._pasts: Remembered[CheckPast] = Remembered(state.clock, fresh_for=_FRESH)

    def scene(self) -> Scene:
        """What every page of the console shows."""
        return self._gathering.scene()

    def grid(self, now: datetime) -> tuple[Grid, Reading[Observed]]:
        """The table, and how fresh what it rests on is. Without an answer it holds what is declared."""
        checks, regions = self._checks.checks(), self._checks.regions()
        places = max(len(checks) * max(len(regions), 1), 1)
        count = max(min(BARS, _MOST_RESULTS // places), 1)
        reading = self._seen.get(count, lambda at: self._read(count, at))
        return grid.grid(checks, regions, reading.value or Observed(), now), reading

    def past(self, check: DeclaredCheck, regions: tuple[str, ...]) -> Reading[CheckPast]:
        """One check in the last hours and days."""
        return self._pasts.get((check.key, check.every, regions), lambda at: self._read_past(check, regions, at))

    def _read(self, count: int, now: datetime) -> Observed:
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.checks
            return Observed(log.latest(count, now - _LATEST), log.verdicts(), log.contacts())

    def _read_past(self, check: DeclaredCheck, regions: tuple[str, ...], now: datetime) -> CheckPast:
        soon = now + timedelta(minutes=1)  # clocks of probers may be ahead of ours
        with self._state.store.transaction(read_only=True) as transaction:
            log = transaction.checks
            results = log.between(check.kind, check.name, now - check_history.past_to_read(check.every), soon)
            hours = log.hours(now - check_history.HISTORY, soon, [check.name])
        of_kind = [hour for hour in hours if hour.kind is check.kind]
        return CheckPast(tuple(results), check_history.strips(of_kind, regions, now))
