"""What a postmortem says in words. No blame: what happened, what it meant, when. Pure, the same for every format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from alerts.messages import words
from alerts.postmortems.model import Moments, Postmortem
from controlplane import wording
from controlplane.model.incident import Origin, TimelineEntry, TimelineKind

MOST_IN_A_ROW: Final = 4  # lines of alerts or messages in a row that are all shown
_QUIETER: Final = frozenset((TimelineKind.ALERT, TimelineKind.TOLD))

QUESTIONS: Final = (
    ("What users saw", "Who could not do what, from when to when? What did support hear?"),
    ("What went well", "What made it shorter or smaller than it could have been?"),
    ("What was hard", "What was not seen, not known or not possible? What surprised people?"),
    ("Where we were lucky", "What would have made it worse on another day?"),
)
"""What only people know, and what to ask them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table of times: `after` is how long after the beginning."""

    what: str
    at: datetime | None
    after: timedelta | None
    note: str = ""


def title(it: Postmortem) -> str:
    """`INC-7: checkout burns its budget`; an exercise says so."""
    drill = f"{words.EXERCISE} " if it.incident.is_drill else ""
    return f"{drill}{words.name_of(it.incident) or 'Incident'}: {words.plain(it.incident.title) or 'an incident'}"


def standing(it: Postmortem) -> str:
    """`P1 · graphql-gateway · resolved · lasted 1 h 2 min`."""
    incident = it.incident
    lasted = f"lasted {wording.duration(it.end - it.moments.began)}" if it.is_over else "goes on"
    parts = [incident.priority.value, words.plain(incident.service), incident.state.value, lasted]
    return " · ".join(filter(None, parts))


def summary(it: Postmortem) -> list[str]:
    """A paragraph for who reads no further."""
    said = [_opening(it), *_people(it), _ending(it)]
    if it.repeats:
        number = "once" if it.repeats == 1 else "twice" if it.repeats == 2 else f"{it.repeats} times"
        said.append(f"The same happened {number} in the year before.")
    return [each for each in said if each]


def impact(it: Postmortem) -> list[str]:
    """What it cost: budget, money, operations. What is not known is said."""
    price = it.incident.price
    lines = words.price_lines(price)
    if price is None:
        return ["What it cost is not known: no price tag was made. See that Prometheus has its SLO's rules."]
    lines = lines or ["Nothing of it is known."]
    if price.note:
        lines.append(words.plain(price.note))
    if it.is_over and it.incident.resolved_at and price.as_of < it.incident.resolved_at:
        lines.append(f"Counted up to {wording.utc(price.as_of)}.")
    return lines


def times(it: Postmortem) -> list[Row]:
    """Detection, response and recovery, in the order in which they should happen."""
    at, incident = it.moments, it.incident
    by = words.plain(incident.acknowledged_by)
    ended = words.plain(incident.resolved_by)
    rows = [
        Row("It began", at.began, None),
        Row("Detected", at.detected, at.after(at.detected), "the incident opened"),
        Row("People told", at.told, at.after(at.told), _told_note(it)),
        Row("Acknowledged", at.acknowledged, at.after(at.acknowledged), f"by {by}" if by else ""),
        Row("Recovered", at.quiet, at.after(at.quiet), "the last alert ended"),
        Row("Resolved", at.resolved, at.after(at.resolved), f"by {ended}" if ended else ""),
    ]
    return [row for row in rows if row.at is not None or row.what in ("Acknowledged", "Resolved")]


def response_seconds(at: Moments) -> dict[str, int | None]:
    """The same for machines: time to detect, to tell, to acknowledge, to recover, in whole seconds."""
    found = {
        "time_to_detect_seconds": at.after(at.detected),
        "time_to_tell_seconds": at.after(at.told),
        "time_to_acknowledge_seconds": at.after(at.acknowledged),
        "time_to_recover_seconds": at.after(at.recovered),
    }
    return {name: None if length is None else int(length.total_seconds()) for name, length in found.items()}


def suspects(it: Postmortem) -> list[str]:
    """What changed shortly before, the most suspicious first."""
    return [
        f"{words.suspect_line(each, it.incident)} — {wording.percent(float(each.score))}"
        for each in it.incident.suspects
    ]


def condensed(timeline: Sequence[TimelineEntry]) -> list[tuple[TimelineEntry, int]]:
    """Lines, and how many like it follow that are left out: of many alerts or messages in a row the first are shown."""
    found: list[tuple[TimelineEntry, int]] = []
    run: list[TimelineEntry] = []

    def end_run() -> None:
        if len(run) <= MOST_IN_A_ROW + 1:
            found.extend((each, 0) for each in run)
        else:
            found.extend((each, 0) for each in run[: MOST_IN_A_ROW - 1])
            found.append((run[MOST_IN_A_ROW - 1], len(run) - MOST_IN_A_ROW))
        run.clear()

    for entry in timeline:
        if run and (entry.kind is not run[0].kind or entry.kind not in _QUIETER):
            end_run()
        run.append(entry)
    end_run()
    return found


def missing(it: Postmortem) -> Iterator[str]:
    """What is still to be done about the postmortem itself."""
    if not it.is_over:
        yield "The incident goes on: this is how it stands."
    if not it.actions:
        yield f"No action is written down yet: flyball actions add {words.name_of(it.incident)} TITLE --owner … --due …"
    if overdue := sum(each.is_overdue for each in (*it.actions, *it.left_over)):
        yield f"{overdue} action{' is' if overdue == 1 else 's are'} overdue."


def _opening(it: Postmortem) -> str:
    incident, at = it.incident, it.moments
    if incident.origin is Origin.DECLARED:
        return f"Somebody declared it at {wording.utc(at.detected)}: {words.plain(incident.title)}."
    alerts = f", {it.alert_count:,} alerts in all" if it.alert_count > 1 else ""
    after = at.after(at.detected)
    seen = f", and was detected {wording.duration(after)} later" if after else ""
    return f"{_sentence(incident.title)} It began at {wording.utc(at.began)}{seen}{alerts}."


def _sentence(text: str) -> str:
    said = words.plain(text)
    return said if not said or said[-1] in ".!?…" else f"{said}."


def _people(it: Postmortem) -> Iterator[str]:
    incident, at = it.incident, it.moments
    if at.acknowledged is not None:
        who = words.plain(incident.acknowledged_by) or "Somebody"
        yield f"{who} acknowledged it {wording.duration(at.after(at.acknowledged) or timedelta(0))} after it began."
    elif it.is_over:
        yield "Nobody acknowledged it."
    if it.told:
        yield f"Escalation told {', '.join(words.plain(each) for each in it.told)}."


def _ending(it: Postmortem) -> str:
    incident, at = it.incident, it.moments
    if at.resolved is None:
        return "It goes on."
    length = wording.duration(at.after(at.resolved) or timedelta(0))
    by = f" by {words.plain(incident.resolved_by)}" if incident.resolved_by else ""
    why = f": {words.plain(incident.resolution)}" if incident.resolution else ""
    return f"It was resolved{by} after {length}{why}."


def _told_note(it: Postmortem) -> str:
    return "the first message arrived" if it.moments.told is not None else ""
