"""What we keep of an incident's message in Slack, so that a crash leaves no doubt for long."""

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.model.event import JSON


@dataclass(frozen=True, slots=True)
class Kept:
    """It stands as `OutsideObject.data`.

    `is_posting`: a post was begun and its outcome is not known. `version`: the incident's, as the message shows it.
    `told`: marks of the lines that the thread shows.
    `reply` is the id of a reply that was begun, and `reply_told` what is told once it is there.
    """

    is_posting: bool = False
    version: int = 0
    told: tuple[str, ...] = ()
    reply: str = ""
    reply_told: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, JSON]) -> "Kept":
        """As it was written; what is missing or odd is as if it had never been."""
        version = data.get("version")
        return cls(
            version=version if isinstance(version, int) else 0,
            is_posting=data.get("posting") is True,
            told=_texts(data.get("told")),
            reply=str(data.get("reply") or ""),
            reply_told=_texts(data.get("replyTold")),
        )

    def data(self) -> dict[str, JSON]:
        """What is written; without what is empty."""
        whole: dict[str, JSON] = {
            "posting": self.is_posting,
            "version": self.version,
            "told": list(self.told),
            "reply": self.reply,
            "replyTold": list(self.reply_told),
        }
        return {name: value for name, value in whole.items() if value}


def _texts(value: JSON) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
