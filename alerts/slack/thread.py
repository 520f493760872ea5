"""The thread of an incident's message: every line of its timeline once, many of them in one reply."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from alerts.messages import words
from alerts.slack import limits
from alerts.slack.blocks import Block, context, section
from alerts.slack.message import SlackMessage, length_of
from alerts.slack.text import cut, escaped_lines, second
from controlplane.model.incident import TimelineEntry, TimelineKind

KEPT: Final = 400  # lines of which we remember that they were told; older ones are taken for told
SHOWN: Final = 25  # lines of one reply
_LINE: Final = 600
_NOT_TOLD: Final = frozenset(
    {TimelineKind.MESSAGE, TimelineKind.TOLD}
)  # written here by people; and our own book-keeping


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `told` are the marks of all lines that are told once it is there; `id` tells it from other replies."""

    id: str
    message: SlackMessage
    told: tuple[str, ...]


def mark_of(entry: TimelineEntry) -> str:
    """What stands for a line among those that were told."""
    return hashlib.sha256(entry.id.encode(errors="replace")).hexdigest()[:12]


def reply_of(timeline: Sequence[TimelineEntry], told: Collection[str]) -> Reply | None:
    """A reply with what the thread does not say yet, oldest first; None when it says all.

    Of more lines than fit, the latest are shown; how many were left out is said.
    """
    recent = [entry for entry in timeline if entry.kind not in _NOT_TOLD][-KEPT:]
    known = frozenset(told)
    new = [entry for entry in recent if mark_of(entry) not in known]
    if not new:
        return None
    shown = new[-SHOWN:]
    blocks = _blocks(shown, len(new) - len(shown))
    while length_of(blocks) > limits.ALL_BLOCKS and len(shown) > 1:
        shown = shown[len(shown) // 4 + 1 :] or shown[-1:]
        blocks = _blocks(shown, len(new) - len(shown))
    marks = tuple(mark_of(entry) for entry in recent)
    id_ = hashlib.sha256("\n".join(mark_of(entry) for entry in new).encode()).hexdigest()[:24]
    text = cut("; ".join(words.timeline_line(entry) for entry in shown), _LINE) or "…"
    return Reply(id_, SlackMessage(text, tuple(blocks)), marks)


def _blocks(shown: Sequence[TimelineEntry], left_out: int) -> list[Block]:
    lines = [f"{second(entry.at)}  {escaped_lines(words.timeline_line(entry), _LINE)}" for entry in shown]
    blocks = [section(text) for text in _packed(lines)]
    more = f"{left_out:,} earlier lines are in the incident's timeline." if left_out else ""
    return [*context([more]), *blocks]


def _packed(lines: Sequence[str]) -> list[str]:
    """Lines joined to texts that a section takes."""
    packed: list[str] = []
    for line in lines:
        if packed and limits.size(packed[-1]) + 1 + limits.size(line) <= limits.SECTION:
            packed[-1] = f"{packed[-1]}\n{line}"
        else:
            packed.append(line)
    return packed
