"""The one message of an incident: what it is, how it stands, what it costs, what may be to blame, and buttons."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerts.messages import words
from alerts.model import Snapshot
from alerts.slack import limits
from alerts.slack.blocks import Block, actions, button, context, fields, header, link_button, section
from alerts.slack.text import cut, escaped, escaped_lines, link, moment
from controlplane.model.incident import IncidentState

ACKNOWLEDGE: Final = "flyball.acknowledge"
RESOLVE: Final = "flyball.resolve"
OPEN_PAGE: Final = "flyball.open"
_SHOWN_ALERTS: Final = 5
_SHOWN_SUSPECTS: Final = 3
_SHOWN_LINKS: Final = 6
_SHOWN_PRICES: Final = 6
_LINE: Final = 240
_VALUE: Final = 300
_SAID: Final = 700
_STATE: Final = 400
_RESOLVING: Final = "Alerts that still fire stay with this incident; new ones open another."


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`text` is for notifications and readers aloud, and for when the blocks are refused."""

    text: str
    blocks: tuple[Block, ...]


def message_of(snapshot: Snapshot, *, with_buttons: bool) -> SlackMessage:
    """The message as it should be now. `with_buttons`: somebody hears when they are pressed."""
    optional = [_alerts(snapshot), _said(snapshot), _suspects(snapshot), _links(snapshot)]
    keeping = len(optional)
    blocks = _all(snapshot, optional, with_buttons=with_buttons)
    while keeping and length_of(blocks) > limits.ALL_BLOCKS:
        keeping -= 1
        blocks = _all(snapshot, optional[:keeping], with_buttons=with_buttons)
    return SlackMessage(fallback(snapshot), tuple(blocks))


def fallback(snapshot: Snapshot) -> str:
    """The message in one or two lines."""
    said = f"{words.headline(snapshot.incident)} – {words.state_of(snapshot)}"
    return escaped(said, limits.FALLBACK_TEXT // 2)


def length_of(blocks: Sequence[Block]) -> int:
    """How long the blocks are together."""
    return limits.size(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def _all(snapshot: Snapshot, optional: Sequence[list[Block]], *, with_buttons: bool) -> list[Block]:
    middle = [block for part in optional for block in part]
    return [
        header(words.headline(snapshot.incident)),
        section(_state(snapshot)),
        *_facts(snapshot),
        *middle,
        *_buttons(snapshot, with_buttons=with_buttons),
        *_small_print(snapshot),
    ]


def _state(snapshot: Snapshot) -> str:
    return f"{_shape(snapshot)} *{escaped(words.state_of(snapshot), _STATE)}* · since {_began(snapshot)}"


def _began(snapshot: Snapshot) -> str:
    return moment(snapshot.incident.started_at)


def _shape(snapshot: Snapshot) -> str:
    """A mark beside the word: full for what needs somebody, half for what somebody has, empty for what is over."""
    incident = snapshot.incident
    if incident.state is IncidentState.RESOLVED:
        return "⚪"
    if incident.state is IncidentState.ACKNOWLEDGED:
        return "🔵"
    return "🔴" if incident.priority.is_critical else "🟠"


def _facts(snapshot: Snapshot) -> list[Block]:
    incident = snapshot.incident
    prices = words.price_lines(incident.price)[:_SHOWN_PRICES]
    roles = ", ".join(f"{role} {who}" for role, who in sorted(incident.roles.items()))
    return fields(
        (
            ("Service", escaped(incident.service, _VALUE)),
            ("Alerts", escaped(words.alerts_line(snapshot), _VALUE)),
            ("Price so far", "\n".join(escaped(line, _LINE) for line in prices)),
            ("On call", escaped(", ".join(snapshot.on_call), _VALUE)),
            ("Roles", escaped(roles, _VALUE)),
        )
    )


def _said(snapshot: Snapshot) -> list[Block]:
    texts = [escaped_lines(text, _SAID) for text in words.said_by_alerts(snapshot)]
    return [section("\n\n".join(texts))] if texts else []


def _alerts(snapshot: Snapshot) -> list[Block]:
    shown = snapshot.alerts[:_SHOWN_ALERTS]
    if not shown:
        return []
    lines = [f"• {escaped(words.alert_line(alert), _LINE)}" for alert in shown]
    if snapshot.alert_count > len(shown):
        lines.append(f"and {snapshot.alert_count - len(shown):,} more")
    return [section("\n".join(["*Alerts*", *lines]))]


def _suspects(snapshot: Snapshot) -> list[Block]:
    shown = snapshot.incident.suspects[:_SHOWN_SUSPECTS]
    lines = [f"{n}. {escaped(words.suspect_line(each, snapshot.incident), _LINE)}" for n, each in enumerate(shown, 1)]
    return [section("\n".join(["*What changed shortly before*", *lines]))] if lines else []


def _links(snapshot: Snapshot) -> list[Block]:
    runbooks = [link(words.runbook_name(each.text), each.url) for each in snapshot.runbooks]
    others = [link(each.text, each.url) for each in snapshot.links]
    return context([*runbooks, *others][:_SHOWN_LINKS])


def _buttons(snapshot: Snapshot, *, with_buttons: bool) -> list[Block]:
    incident = snapshot.incident
    name = words.name_of(incident) or "this incident"
    row: list[Block] = []
    if with_buttons and incident.state is IncidentState.OPEN:
        row.append(button("Acknowledge", ACKNOWLEDGE, incident.id, style="primary"))
    if with_buttons and incident.is_open:
        row.append(button("Resolve", RESOLVE, incident.id, confirm=f"Resolve {name}? {_RESOLVING}"))
    return actions([*row, *link_button("Open in Flyball", OPEN_PAGE, snapshot.page_url)])


def _small_print(snapshot: Snapshot) -> list[Block]:
    incident = snapshot.incident
    drill = "This is an exercise: acknowledge it as if it were real." if incident.is_drill else ""
    repeats = "It happened before: the last one is on its page." if incident.repeats else ""
    note = escaped(incident.price.note, _LINE) if incident.price else ""
    return context([drill, repeats, note, f"as of {moment(snapshot.taken_at)}"])


def plain_message(snapshot: Snapshot, *, with_buttons: bool) -> SlackMessage:
    """The message as short as can be, for when Slack refuses the other one."""
    text = fallback(snapshot)
    blocks = [section(escaped(words.state_of(snapshot), _STATE)), *_buttons(snapshot, with_buttons=with_buttons)]
    return SlackMessage(cut(text, limits.FALLBACK_TEXT), (header(words.headline(snapshot.incident)), *blocks))
