"""Blocks of Block Kit, each within its own limits."""

from collections.abc import Iterable, Sequence

from alerts.slack import limits
from alerts.slack.text import cut, web_url
from controlplane.model.event import JSON

Block = dict[str, JSON]


def header(text: str) -> Block:
    """A heading; what looks like `:emoji:` in it stays text."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, limits.HEADER) or "…", "emoji": False}}


def section(text: str) -> Block:
    """Marked-up text, which is within its limit and escaped already."""
    return {"type": "section", "text": _marked(text)}


def fields(pairs: Iterable[tuple[str, str]]) -> list[Block]:
    """Names and values in two columns, without the empty ones; no block when all are. Values are marked up already."""
    told: list[JSON] = [_marked(f"*{name}*\n{value}") for name, value in pairs if value]
    return [{"type": "section", "fields": told[: limits.FIELDS]}] if told else []


def context(texts: Sequence[str]) -> list[Block]:
    """Small print, marked up already; no block without text."""
    elements: list[JSON] = [_marked(text) for text in texts if text]
    return [{"type": "context", "elements": elements[: limits.CONTEXT_ELEMENTS]}] if elements else []


def actions(buttons: Sequence[Block]) -> list[Block]:
    """Buttons in a row."""
    elements: list[JSON] = [*buttons[: limits.ACTIONS]]
    return [{"type": "actions", "elements": elements}] if elements else []


def button(text: str, action: str, value: str, *, style: str = "", confirm: str = "") -> Block:
    """One that we are told of; `confirm` is what the reader is asked first."""
    found: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": cut(text, limits.BUTTON_TEXT)},
        "action_id": action,
        "value": value,
    }
    if style:
        found["style"] = style
    if confirm:
        found["confirm"] = {
            "title": {"type": "plain_text", "text": cut(text, limits.CONFIRM_TITLE)},
            "text": {"type": "plain_text", "text": cut(confirm, limits.CONFIRM_TEXT)},
            "confirm": {"type": "plain_text", "text": cut(text, limits.CONFIRM_BUTTON)},
            "deny": {"type": "plain_text", "text": "Cancel"},
        }
    return found


def link_button(text: str, action: str, url: str) -> list[Block]:
    """One that opens a page; none for what is no address of the web."""
    target = web_url(url, limits.BUTTON_URL)
    if not target:
        return []
    label: JSON = {"type": "plain_text", "text": cut(text, limits.BUTTON_TEXT)}
    return [{"type": "button", "text": label, "action_id": action, "url": target}]


def _marked(text: str) -> JSON:
    return {"type": "mrkdwn", "text": text, "verbatim": True}  # no names, channels or addresses are made links
