"""Metadata on what we post: by it a message is found again after a crash, and one too many is told apart."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from controlplane.model.event import JSON

EVENT_TYPE: Final = "flyball_incident"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a message is about: an incident, in one of our channels; `reply` is a reply's id, empty for the message."""

    incident: str
    channel: str
    reply: str = ""

    def metadata(self) -> dict[str, JSON]:
        """As Slack keeps it. Whoever sees the message may read it: it holds nothing secret."""
        payload: dict[str, JSON] = {"incident": self.incident, "channel": self.channel, "reply": self.reply}
        return {"event_type": EVENT_TYPE, "event_payload": payload}


@dataclass(frozen=True, slots=True)
class Found:
    """A message that bears a mark."""

    ts: str
    mark: Mark


def marked(messages: Iterable[Mapping[str, object]]) -> list[Found]:
    """Those of the messages that bear one of our marks, earliest first."""
    found = []
    for message in messages:
        ts, mark = message.get("ts"), _mark(message.get("metadata"))
        if isinstance(ts, str) and mark is not None:
            found.append(Found(ts, mark))
    return sorted(found, key=lambda each: each.ts)


def twins_of(ts: str, mark: Mark, messages: Iterable[Mapping[str, object]]) -> list[str]:
    """Messages with the same mark that are not the one that we own."""
    return [each.ts for each in marked(messages) if each.mark == mark and each.ts != ts]


def _mark(metadata: object) -> Mark | None:
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    if not isinstance(payload, Mapping):
        return None
    texts = [payload.get(name, "") for name in ("incident", "channel", "reply")]
    if not all(isinstance(text, str) for text in texts):
        return None
    return Mark(*map(str, texts))
