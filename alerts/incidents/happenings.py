"""Events of other features as lines of an incident's timeline: which ones, in what words, and whether they belong."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Final

from alerts.incidents import anomaly_words
from alerts.incidents.writing import bounded
from controlplane import check_names, conventions, delivery_names, incident_names
from controlplane.model.event import JSON, Event
from controlplane.model.incident import Incident, TimelineEntry, TimelineKind

LONGEST_LINE: Final = 400
SAME_DEPLOYMENT: Final = timedelta(hours=1)  # told by the event log and seen in `build_info`
_LONGEST_WORD: Final = 120

KINDS: Final[Mapping[str, TimelineKind]] = {
    conventions.EVENT_DEPLOYED: TimelineKind.DEPLOYMENT,
    conventions.EVENT_FLAG_CHANGED: TimelineKind.FLAG,
    conventions.EVENT_FLAG_YIELDED: TimelineKind.FLAG,
    conventions.EVENT_TIER_CHANGED: TimelineKind.TIER,
    conventions.EVENT_STEP_FAILED: TimelineKind.TIER,
    conventions.EVENT_RULES_APPLIED: TimelineKind.RULES,
    conventions.EVENT_RULES_REJECTED: TimelineKind.RULES,
    conventions.EVENT_EXCLUSION_ADDED: TimelineKind.RULES,
    conventions.EVENT_EXCLUSION_CHANGED: TimelineKind.RULES,
    conventions.EVENT_EXCLUSION_REMOVED: TimelineKind.RULES,
    conventions.EVENT_EXCLUSION_EXPIRED: TimelineKind.RULES,
    conventions.EVENT_COST_ISSUE: TimelineKind.COST,
    conventions.EVENT_QUOTA_REACHED: TimelineKind.COST,
    check_names.EVENT_VERDICT_CHANGED: TimelineKind.PROBE,
    check_names.EVENT_REGION_SILENT: TimelineKind.PROBE,
    check_names.EVENT_REGION_HEARD: TimelineKind.PROBE,
    check_names.EVENT_PATH_DISAGREES: TimelineKind.PROBE,
    check_names.EVENT_PATH_AGREES: TimelineKind.PROBE,
    check_names.EVENT_COMPONENT_CHANGED: TimelineKind.STATUS,
    check_names.EVENT_STATUS_UPDATE: TimelineKind.STATUS,
    check_names.EVENT_STATUS_OVERDUE: TimelineKind.STATUS,
    incident_names.EVENT_ON_CALL_CHANGED: TimelineKind.ROLE,
    delivery_names.EVENT_ATTRIBUTED: TimelineKind.NOTE,
}
_BY_SERVICE: Final = frozenset({conventions.EVENT_DEPLOYED})  # whose subject is a service
_EVERYBODY: Final = frozenset({TimelineKind.DEPLOYMENT, TimelineKind.TIER})  # what may reach other services, too


class Relation(Enum):
    """How near an event is to an incident."""

    SAME = "same service"
    UNKNOWN = "no service is named"
    OTHER = "another service"


def kind_of(event: Event) -> TimelineKind | None:
    """What its line is about; None for an event that is no part of timelines."""
    if event.kind.startswith(incident_names.ANOMALY_PREFIX):
        return TimelineKind.ANOMALY
    return KINDS.get(event.kind)


def relation(event: Event, incident: Incident) -> Relation:
    """Whether it is about the incident's service."""
    theirs = service_of(event)
    ours = incident.service or incident.labels.get(conventions.SERVICE, "")
    if not theirs or not ours:
        return Relation.UNKNOWN
    return Relation.SAME if theirs == ours else Relation.OTHER


def service_of(event: Event) -> str:
    """The service that an event is about; empty where it names none."""
    named = event.data.get(conventions.SERVICE)
    if isinstance(named, str) and named:
        return named
    labels = event.data.get("labels")
    if isinstance(labels, dict) and isinstance(labels.get(conventions.SERVICE), str):
        return str(labels[conventions.SERVICE])
    return event.subject if event.kind in _BY_SERVICE else ""


def belongs(event: Event, incident: Incident) -> bool:
    """Whether its line stands in the incident's timeline."""
    if event.kind == delivery_names.EVENT_ATTRIBUTED:  # about one incident, which is its subject
        return event.subject == incident.id
    kind = kind_of(event)
    return kind is not None and (relation(event, incident) is not Relation.OTHER or kind in _EVERYBODY)


def line_of(event: Event, incident: Incident) -> TimelineEntry:
    """Its line. Written once: its id is made from the event's."""
    kind = kind_of(event)
    assert kind is not None, "only events that belong have lines"
    data: dict[str, JSON] = {"event": event.kind, "subject": event.subject}
    if kind is TimelineKind.DEPLOYMENT:
        data["version"] = _word(event.data, "version")
    actor = _word(event.data, "actor") or _word(event.data, "by")
    return TimelineEntry(f"event:{event.id}"[:250], incident.id, event.occurred_at, kind, in_words(event), actor, data)


def is_told(event: Event, line: TimelineEntry) -> bool:
    """Whether a line tells of the same deployment."""
    is_same = line.kind is TimelineKind.DEPLOYMENT and line.data.get("subject") == event.subject
    is_same = is_same and line.data.get("version") == event.data.get("version")
    return is_same and abs(line.at - event.occurred_at) <= SAME_DEPLOYMENT


def in_words(event: Event) -> str:
    """What happened, in a sentence: `checkout 1.4.2 was deployed`, `ladder main went from tier 0 to 3: spend`."""
    said = _WORDS.get(event.kind, _otherwise)(event)
    return bounded(" ".join(said.split()), LONGEST_LINE)


def _deployed(event: Event) -> str:
    version, before = _word(event.data, "version") or _word(event.data, "to"), _word(event.data, "from")
    was = f", it was {before}" if before else ""
    if event.data.get("kind") == "rolledback" and version:
        return f"{event.subject} was rolled back to {version}{was}"
    return f"{event.subject} {version} was deployed{was}" if version else f"{event.subject} was deployed"


def _attributed(event: Event) -> str:
    text = _word(event.data, "text")
    held = "held against a deployment" if event.data.get("deployment") else "no deployment is held to have caused it"
    return f"{held}: {text}" if text else held


def _flag(event: Event) -> str:
    ladder = _word(event.data, "ladder")
    by = f" by ladder {ladder}" if ladder else ""
    return f"flag {event.subject} went from {_word(event.data, 'from')} to {_word(event.data, 'to')}{by}"


def _tier(event: Event) -> str:
    reason = _word(event.data, "reason")
    moved = f"ladder {event.subject} went from tier {_word(event.data, 'from')} to {_word(event.data, 'to')}"
    return f"{moved}: {reason}" if reason else moved


def _step_failed(event: Event) -> str:
    reason = _word(event.data, "reason")
    undone = f"ladder {event.subject}: the step to tier {_word(event.data, 'to')} was undone"
    return f"{undone}: {reason}" if reason else undone


def _rules(event: Event) -> str:
    generation = _word(event.data, "generation")[:12]
    return f"rules {generation} are in force" if generation else "other rules are in force"


def _rejected(event: Event) -> str:
    reason = _word(event.data, "reason")
    return f"new rules were refused: {reason}" if reason else "new rules were refused"


def _exclusion(event: Event) -> str:
    done = event.kind.rpartition("_")[2]
    return f"exclusion {event.subject} {'has ended' if done == 'expired' else f'was {done}'}"


def _verdict(event: Event) -> str:
    check = event.subject.rpartition("/")[2]
    return f"check {check} went from {_word(event.data, 'from')} to {_word(event.data, 'to')}"


def _component(event: Event) -> str:
    return f"status page {event.subject} shows {_word(event.data, 'to')}"


def _status_update(event: Event) -> str:
    return f"the status page says: {_word(event.data, 'status')} (impact {_word(event.data, 'impact')})"


def _on_call(event: Event) -> str:
    return f"{_word(event.data, 'to') or 'nobody'} is on call in {event.subject} now"


def _otherwise(event: Event) -> str:
    told = [f"{name} {text}" for name in ("from", "to", "detail", "reason") if (text := _word(event.data, name))]
    return f"{event.kind.replace('.', ' ').replace('_', ' ')} {event.subject}{': ' if told else ''}{', '.join(told)}"


_WORDS: Final[Mapping[str, Callable[[Event], str]]] = {
    conventions.EVENT_DEPLOYED: _deployed,
    delivery_names.EVENT_ATTRIBUTED: _attributed,
    conventions.EVENT_FLAG_CHANGED: _flag,
    conventions.EVENT_TIER_CHANGED: _tier,
    conventions.EVENT_STEP_FAILED: _step_failed,
    conventions.EVENT_RULES_APPLIED: _rules,
    conventions.EVENT_RULES_REJECTED: _rejected,
    conventions.EVENT_EXCLUSION_ADDED: _exclusion,
    conventions.EVENT_EXCLUSION_CHANGED: _exclusion,
    conventions.EVENT_EXCLUSION_REMOVED: _exclusion,
    conventions.EVENT_EXCLUSION_EXPIRED: _exclusion,
    check_names.EVENT_VERDICT_CHANGED: _verdict,
    check_names.EVENT_COMPONENT_CHANGED: _component,
    check_names.EVENT_STATUS_UPDATE: _status_update,
    incident_names.EVENT_ON_CALL_CHANGED: _on_call,
    **anomaly_words.WORDS,
}


def _word(data: Mapping[str, JSON], name: str) -> str:
    """A value as people write it; empty where there is none."""
    value = data.get(name)
    if value is None or isinstance(value, (dict, list)):
        return ""
    return bounded(str(value).lower() if isinstance(value, bool) else str(value), _LONGEST_WORD)
