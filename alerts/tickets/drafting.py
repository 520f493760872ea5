"""What tickets say: of cost issues (events `cost.issue`) and of postmortem actions. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from alerts.tickets import texts
from controlplane import conventions as names
from controlplane import wording
from controlplane.model.event import JSON, Event
from controlplane.model.follow_up import Action, ActionState
from controlplane.model.incident import Incident

COST_PREFIX: Final = "cost:"
ACTION_PREFIX: Final = "action:"
_MOST: Final = 20  # lines of one list
_MONEY_PATH: Final = "/money"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ticket as it should be; `cause` says why it is closed, where it is."""

    key: str
    title: str
    body: str
    is_open: bool = True
    cause: str = ""


def cost_key(issue_id: str) -> str:
    """The key of the ticket of a cost issue's event."""
    return f"{COST_PREFIX}{issue_id}"


def cost_key_of_alert(resolved: Event) -> str:
    """The key of the ticket that a resolved alert's firing had, if it had one."""
    fired = resolved.id.replace(names.EVENT_ALERT_RESOLVED, names.EVENT_ALERT_FIRED, 1)
    return cost_key(f"{names.EVENT_COST_ISSUE}:{fired}")


def action_key(action: str) -> str:
    """The key of an action's ticket."""
    return f"{ACTION_PREFIX}{action}"


def of_cost_issue(issue: Event, *, console_url: str = "") -> Wanted:
    """The ticket of a cost issue; `console_url` is where people reach the console, empty where nobody said."""
    about = _object(issue.data.get("about"))
    sections = [
        ("", _about(issue, about, console_url)),
        ("Figures", _figures(issue)),
        ("Changed shortly before", _changes(issue)),
        ("Spans", _spans(issue)),
    ]
    name = _text(about, names.BUDGET) or _text(about, "unit_cost")
    title = " ".join(filter(None, (_subject(issue), _text(about, "alert") if name else "", _total(issue))))
    return Wanted(cost_key(issue.id), texts.title(title), _body(sections))


def of_action(action: Action, incident: Incident | None, *, page_url: str, again: Sequence[Incident] = ()) -> Wanted:
    """The ticket of an action, closed with what became of it. `again`: repetitions of its incident."""
    is_open = action.state is ActionState.OPEN
    name = incident.name if incident is not None else "an incident"
    lines = [f"- Owner: **{texts.plain(action.owner, 100)}**", f"- Due: {action.due.isoformat()}"]
    if is_open and action.reported_at is not None:
        lines[1] += " — **overdue**"
    about = f"{name}: {incident.title}" if incident is not None else f"incident {action.incident}"
    lines.append(f"- From: {texts.link(about, page_url)}")
    if incident is not None:
        lines.append(f"- Priority of the incident: {incident.priority.value}, opened {wording.utc(incident.opened_at)}")
    if again and is_open:
        told = ", ".join(f"{each.name} on {each.opened_at:%Y-%m-%d}" for each in again)
        lines.append(f"- **It happened again**: {told}")
    lines.append(f"- Written by {texts.plain(action.created_by, 100)} on {action.created_at:%Y-%m-%d}")
    sections = [("", [texts.plain(action.title), ""]), ("", lines)]
    cause = "" if is_open else _ended(action)
    title = texts.title(f"{name}: {action.title}")
    return Wanted(action_key(action.id), title, with_cause(_body(sections), cause), is_open, cause)


def with_cause(body: str, cause: str) -> str:
    """A body whose end says why the ticket is closed."""
    return f"{body.rstrip()}\n\n## Closed\n\n{texts.plain(cause)}\n" if cause else body


def resolved_cause(resolved: Event) -> str:
    """Why a ticket of a budget's alert is closed."""
    reason = _text(resolved.data, "reason")
    return f"The alert {resolved.subject} ended at {wording.utc(resolved.occurred_at)}" + (
        f": {reason}" if reason else ""
    )


def _ended(action: Action) -> str:
    verb = "Done" if action.state is ActionState.DONE else "Dropped"
    at = f" on {action.ended_at:%Y-%m-%d}" if action.ended_at else ""
    by = f" by {action.ended_by}" if action.ended_by else ""
    return f"{verb}{by}{at}" + (f": {action.why}" if action.why else "")


def _subject(issue: Event) -> str:
    return texts.one_line(issue.subject, 120) or _text(issue.data, "code")


def _about(issue: Event, about: dict[str, JSON], console_url: str) -> Iterator[str]:
    if summary := _text(about, "summary"):
        yield texts.plain(summary)
        yield ""
    if alert := _text(about, "alert"):
        severity = _text(about, names.SEVERITY)
        yield f"- Alert: **{texts.plain(alert, 100)}**" + (f", {texts.plain(severity, 40)}" if severity else "")
    if budget := _text(about, names.BUDGET):
        yield f"- Budget: {texts.link(budget, _money_url(console_url, budget))}"
    elif unit := _text(about, "unit_cost"):
        yield f"- Unit cost: {texts.link(unit, _money_url(console_url, f'unit-costs/{unit}'))}"
    yield f"- Began: {wording.utc(issue.occurred_at)}"
    if "from" in about:
        span = f"{_moment(about, 'from')} to {_moment(about, 'to')}"
        yield f"- Compared: {span} against the same length from {_moment(about, 'against')}"
        where = _object(about.get("where"))
        scope = ", ".join(f"{name}={'|'.join(_texts(values))}" for name, values in where.items()) or "all spend"
        yield f"- Of: {texts.plain(scope)} ({texts.plain(_text(about, 'ledger'), 40)})"
    if runbook := _text(about, "runbook_url"):
        yield f"- Runbook: {texts.link('how to go about it', runbook)}"


def _figures(issue: Event) -> Iterator[str]:
    if issue.data.get("explained") is not True:
        yield "Nothing could be explained: the spend of that time was not known."
        return
    for each in _objects(issue.data.get("currencies")):
        currency = texts.plain(_text(each, "currency"), 20)
        before, after, change = (_money(each, name, currency) for name in ("before", "after", "change"))
        yield f"- **{change}**: {before} before, {after} now"
        effects = [
            f"{texts.plain(name, 40)} {_amount(value, currency)}"
            for name, value in _object(each.get("effects")).items()
        ]
        if effects:
            yield f"- By cause: {', '.join(effects[:_MOST])}"
        for mover in _objects(each.get("movers")):
            group = ", ".join(f"{key}={value}" for key, value in _object(mover.get("group")).items()) or "all"
            said = f"{_money(mover, 'change', currency)} ({_money(mover, 'before', currency)} before)"
            yield f"  - {texts.plain(group)}: {said}"


def _changes(issue: Event) -> Iterator[str]:
    for each in _objects(issue.data.get("changes")):
        what = " ".join(filter(None, (_text(each, "kind"), _text(each, "subject"), _text(each, "detail"))))
        yield f"- {_moment(each, 'at')}: {texts.plain(what)}"


def _spans(issue: Event) -> Iterator[str]:
    for each in _objects(issue.data.get("traces")):
        trace, url = _text(each, "trace_id"), _text(each, "url")
        words = f"{_text(each, 'service') or 'trace'}, {_moment(each, 'at')}"
        yield f"- {texts.link(words, url)}" + ("" if url else f": trace {texts.plain(trace, 100)}")


def _total(issue: Event) -> str:
    said = []
    for each in _objects(issue.data.get("currencies")):
        change = _decimal(_text(each, "change"))
        if change is not None and change:
            said.append(f"{'+' if change > 0 else ''}{wording.money(change, _text(each, 'currency'))}")
    return ", ".join(said[:3])


def _body(sections: Sequence[tuple[str, Iterator[str] | Sequence[str]]]) -> str:
    parts = []
    for title, found in sections:
        lines = list(found)
        if lines:
            kept = lines if len(lines) <= _MOST * 2 else [*lines[: _MOST * 2], f"- and {len(lines) - _MOST * 2} more"]
            parts.append((f"## {title}\n\n" if title else "") + "\n".join(kept).strip())
    return "\n\n".join(parts) + "\n"


def _money_url(console_url: str, rest: str) -> str:
    return f"{console_url.rstrip('/')}{_MONEY_PATH}/{rest}" if console_url else ""


def _money(data: dict[str, JSON], name: str, currency: str) -> str:
    return _amount(data.get(name), currency, is_signed=name == "change")


def _amount(value: JSON, currency: str, *, is_signed: bool = True) -> str:
    amount = _decimal(value if isinstance(value, str) else "")
    return ("+" if is_signed and amount is not None and amount > 0 else "") + wording.money(amount, currency)


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _moment(data: dict[str, JSON], name: str) -> str:
    text = _text(data, name)
    try:
        return wording.utc(datetime.fromisoformat(text))
    except ValueError:
        return texts.plain(text, 40) or "an unknown time"


def _text(data: object, name: str) -> str:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, str) else ""


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _objects(value: JSON) -> list[dict[str, JSON]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: JSON) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
