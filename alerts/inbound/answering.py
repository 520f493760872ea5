"""What people do outside becomes what they do here: at the desk, as from everywhere else."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.inbound.model import Answer, Deed
from alerts.incidents.desk import Changed, Desk, Refused, UnknownIncident
from alerts.pagerduty.event import incident_of_key
from controlplane.incident_names import EVENT_INCIDENT_ANSWERED
from controlplane.model.event import JSON, Event
from controlplane.ports import Store, Transient

_MOST_NAMES: Final = 10_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it: `incident` is its name, empty when it is none of ours; `why` says why nothing changed."""

    incident: str = ""
    is_new: bool = False
    why: str = ""


class Answering:
    """Takes answers. The same one twice changes nothing, whenever it comes again.

    `name_of` says what somebody is called who is known by an id only, in the chat of a lane; empty: nobody knows.
    `is_page_kept` says whether pages left that the store does not know yet: an answer to one of them comes too soon.
    """

    def __init__(
        self,
        store: Store,
        desk: Desk,
        name_of: Callable[[str, str], str] = lambda lane, user: "",
        is_page_kept: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._desk = desk
        self._name_of = name_of
        self._is_page_kept = is_page_kept
        self._names: dict[str, str] = {}  # of people in chats, as far as they pressed something: who writes has an id

    def take(self, answer: Answer, now: datetime) -> Answered:
        """Do it. Raises what the store raises, and `Transient` for an answer that comes too soon: then nothing is known

        to have changed, and it may come again.
        """
        incident, lane, is_repeated = self._looked_up(answer)
        if is_repeated:
            return Answered(why="it came before")
        if not incident:
            return Answered(why="it is about nothing that we opened")
        try:
            changed = self._done(answer, incident, lane, now)
        except (UnknownIncident, Refused) as error:
            if isinstance(error, UnknownIncident) and self._is_page_kept():
                raise Transient("the database does not know yet what was paged without it") from None
            log.warning("alerts.answer_refused", extra={"via": answer.via, "reason": str(error)})
            return Answered(why=str(error))
        self._remember(answer, changed, now)
        why = "" if changed.is_new else "it was so already"
        return Answered(changed.incident.name, changed.is_new, why)

    def _looked_up(self, answer: Answer) -> tuple[str, str, bool]:
        """The incident that it is about, the lane by which we showed it, and whether the answer came before."""
        with self._store.transaction(read_only=True) as transaction:
            kinds = (EVENT_INCIDENT_ANSWERED,)
            same_time = transaction.events.between(answer.at, answer.at + timedelta(microseconds=1), kinds)
            is_repeated = any(each.event.id == answer.id for each in same_time)
            if answer.incident:
                return answer.incident, "", is_repeated
            found = transaction.telling.by_outside_id(f"{answer.via}:", answer.outside_id, answer.place)
            if found:
                return found.incident, found.channel, is_repeated
            return incident_of_key(answer.outside_id), "", is_repeated  # it was paged, though its answer was lost

    def _done(self, answer: Answer, incident: str, lane: str, now: datetime) -> Changed:
        by = self._known_as(answer, lane)
        match answer.deed:
            case Deed.ACKNOWLEDGE:
                return self._desk.acknowledge(incident, by=by, via=answer.via, now=now)
            case Deed.RESOLVE:
                return self._desk.resolve(incident, by=by, via=answer.via, why="", now=now)
            case Deed.NOTE:
                return self._desk.note(incident, text=answer.text, by=by, via=answer.via, now=now, entry_id=answer.id)

    def _known_as(self, answer: Answer, lane: str) -> str:
        if answer.user:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[answer.user] = answer.by
        if answer.user or answer.deed is not Deed.NOTE:
            return answer.by
        return self._names.get(answer.by) or self._name_of(lane, answer.by) or answer.by

    def _remember(self, answer: Answer, changed: Changed, now: datetime) -> None:
        """That it was done. A crash before this is no harm: the desk does nothing twice."""
        data: dict[str, JSON] = {"deed": answer.deed.value, "via": answer.via, "by": answer.by}
        event = Event(answer.id, EVENT_INCIDENT_ANSWERED, changed.incident.id, answer.at, data)
        with self._store.transaction() as transaction:
            transaction.events.append(event, now)
