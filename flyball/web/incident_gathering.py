"""What the pages about incidents show, read from the database in bounded time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from alerts.incidents.page import IncidentPage, read_page
from alerts.model import AlertsDeclared
from controlplane.model.follow_up import Action, RunbookRun
from controlplane.model.incident import Incident
from flyball.web.gathering import Gathering, Scene
from flyball.web.remembered import Reading, Remembered
from flyball.web.state import ConsoleState

HISTORY: Final = timedelta(days=30)
_FRESH: Final = timedelta(seconds=2)
_MOST: Final = 500


class IncidentsState(Protocol):
    """What is declared about alerts in the last good files. Safe to use from several threads."""

    def alerts(self) -> AlertsDeclared:
        """Receivers, routes, schedules and so on."""
        ...


@dataclass(frozen=True, slots=True)
class NoIncidents:
    """An `IncidentsState` of files that declare nothing about alerts."""

    def alerts(self) -> AlertsDeclared:
        """Nothing."""
        return AlertsDeclared()


@dataclass(frozen=True, slots=True)
class DeclaredIncidents:
    """An `IncidentsState` of what files declare."""

    declared: Callable[[], AlertsDeclared]

    def alerts(self) -> AlertsDeclared:
        """Receivers, routes, schedules and so on."""
        return self.declared()


@dataclass(frozen=True, slots=True)
class Listed:
    """Open incidents, most urgent first, and those that ended lately, latest first."""

    open: tuple[Incident, ...]
    ended: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """All that is known of one incident, and what followed from it."""

    page: IncidentPage
    runs: tuple[RunbookRun, ...]
    actions: tuple[Action, ...]


class IncidentGathering:
    """Asks, and remembers for two seconds. Safe to share between threads."""

    def __init__(self, state: ConsoleState, incidents: IncidentsState, gathering: Gathering) -> None:
        self._state = state
        self._incidents = incidents
        self._gathering = gathering
        self._listed: Remembered[Listed] = Remembered(state.clock, fresh_for=_FRESH)
        self._files: Remembered[IncidentFile | None] = Remembered(state.clock, fresh_for=_FRESH)

    def scene(self) -> Scene:
        """What every page of the console shows."""
        return self._gathering.scene()

    def now(self) -> datetime:
        """The time."""
        return self._state.clock.now()

    def declared(self) -> AlertsDeclared:
        """What is declared about alerts."""
        return self._incidents.alerts()

    def listed(self) -> Reading[Listed]:
        """Every open incident, and those of the last days."""
        return self._listed.get("", self._list)

    def file(self, incident: str) -> Reading[IncidentFile | None]:
        """One incident by id or name; a value of None: there is none."""
        return self._files.get(incident, lambda at: self._read(incident))

    def forget(self) -> None:
        """What was remembered is not so any more: somebody changed something here."""
        self._listed = Remembered(self._state.clock, fresh_for=_FRESH)
        self._files = Remembered(self._state.clock, fresh_for=_FRESH)

    def _list(self, now: datetime) -> Listed:
        with self._state.store.transaction(read_only=True) as transaction:
            going_on = transaction.incidents.open(_MOST)
            lately = transaction.incidents.between(now - HISTORY, now, _MOST)
        return Listed(tuple(going_on), tuple(each for each in lately if not each.is_open))

    def _read(self, incident: str) -> IncidentFile | None:
        with self._state.store.transaction(read_only=True) as transaction:
            found = transaction.incidents.incident(incident)
            if found is None:
                return None
            return IncidentFile(
                read_page(transaction, found, self.declared(), "", transaction.database_time()),
                tuple(transaction.follow_up.runs(found.id)),
                tuple(transaction.follow_up.actions(found.id)),
            )
