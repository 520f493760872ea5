"""A postmortem as Markdown: what is known is there, what only people know is asked for. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from alerts.messages import words
from alerts.postmortems import sentences
from alerts.postmortems.model import Postmortem, TrackedAction
from alerts.tickets.texts import link, plain
from controlplane import wording
from controlplane.model.follow_up import ActionState

MOST_LINES: Final = 500
_LONGEST_LINE: Final = 500


def as_markdown(it: Postmortem) -> str:
    """The whole document. Nothing that anybody wrote becomes markup; every line ends where a line should."""
    parts = [f"# {plain(sentences.title(it), 300)}", plain(sentences.standing(it)), *_note(it)]
    parts += ["## In short", " ".join(plain(each) for each in sentences.summary(it))]
    parts += ["## Impact", _list(plain(each) for each in sentences.impact(it))]
    parts += ["## Detection, response, recovery", _times(it)]
    parts += ["## What may have caused it", _suspects(it)]
    parts += ["## Timeline", "Times are UTC.", _timeline(it)]
    parts += ["## Actions", _actions(it.actions) or "None is written down yet."]
    if it.left_over:
        parts += ["### Still open from before", _actions(it.left_over, names_incident=True)]
    if it.earlier:
        parts += ["## It happened before", _list(_earlier(it))]
    parts.append("## Still to be written")
    parts += [f"### {name}\n\n_{question}_" for name, question in sentences.QUESTIONS]
    return "\n\n".join(each for each in parts if each) + "\n"


def _note(it: Postmortem) -> Iterator[str]:
    about = f" from {link('its page', it.page_url)}" if it.page_url else ""
    yield f"Drafted by Flyball at {wording.utc(it.made_at)}{about}. Change everything that is not right."
    yield _list(plain(each) for each in sentences.missing(it))


def _times(it: Postmortem) -> str:
    rows = [
        (
            row.what,
            "not known" if row.at is None else wording.utc(row.at),
            "" if row.after is None else wording.duration(row.after),
            plain(row.note),
        )
        for row in sentences.times(it)
    ]
    return _table(("What", "When", "After it began", ""), rows)


def _suspects(it: Postmortem) -> str:
    found = sentences.suspects(it)
    if not found:
        return "Nothing is known that changed shortly before."
    return "\n".join(f"{number}. {plain(each)}" for number, each in enumerate(found, 1))


def _timeline(it: Postmortem) -> str:
    lines = sentences.condensed(it.timeline)
    shown = lines[:MOST_LINES]
    rows = [
        (f"{entry.at:%Y-%m-%d %H:%M:%S}", plain(words.timeline_line(entry), _LONGEST_LINE) + _more(more))
        for entry, more in shown
    ]
    if len(lines) > MOST_LINES:
        rows.append(("", f"{len(lines) - MOST_LINES:,} more lines: flyball incidents timeline {it.incident.name}"))
    return _table(("When", "What"), rows) if rows else "Nothing was written down."


def _more(count: int) -> str:
    return f" (and {count:,} more like it)" if count else ""


def _actions(actions: Sequence[TrackedAction], *, names_incident: bool = False) -> str:
    return "\n".join(_action(each, names_incident=names_incident) for each in actions)


def _action(it: TrackedAction, *, names_incident: bool) -> str:
    action = it.action
    box = " " if action.state is ActionState.OPEN else "x"
    state = {
        ActionState.OPEN: f"due {action.due.isoformat()}{', **overdue**' if it.is_overdue else ''}",
        ActionState.DONE: "done",
        ActionState.DROPPED: f"dropped{f': {plain(action.why)}' if action.why else ''}",
    }[action.state]
    said = f"- [{box}] {plain(action.title)} — {plain(action.owner, 100)}, {state}"
    if it.ticket is not None and it.ticket.url:
        said += f" ({link('ticket', it.ticket.url) if it.ticket.url.startswith('http') else plain(it.ticket.url)})"
    return said + (f" — of {words.name_of(it.incident)}" if names_incident else "")


def _earlier(it: Postmortem) -> Iterator[str]:
    for each in it.earlier:
        one = each.incident
        name = link(f"{words.name_of(one)}: {one.title}", each.url)
        lasted = f", lasted {wording.duration(one.resolved_at - one.started_at)}" if one.resolved_at else ""
        waiting = f", {each.open_actions} of its actions still open" if each.open_actions else ""
        yield f"{name} ({one.opened_at:%Y-%m-%d}{lasted}{waiting})"


def _list(lines: Iterator[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
