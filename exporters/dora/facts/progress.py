"""How far the events are made into facts, as it stands in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from controlplane.model.event import JSON

if TYPE_CHECKING:
    from controlplane.delivery_ports import DeliveryLog

NAME: Final = "delivery facts"  # of the row


@dataclass(frozen=True, slots=True)
class Progress:
    """Events up to `sequence` are in the facts, by the rules of `version` and the policy's `digest`.

    After a change of rules those up to `again_until` are folded once more, which is done up to `again_from`.
    """

    version: int
    digest: str
    sequence: int = 0
    again_from: int = 0
    again_until: int = 0

    @property
    def is_folding_again(self) -> bool:
        """Whether older facts still follow the rules of before."""
        return self.again_from < self.again_until

    def under(self, version: int, digest: str) -> "Progress":
        """The same under these rules: when they are others, all is to be folded again, from the first event on."""
        if (version, digest) == (self.version, self.digest):
            return self
        return Progress(version, digest, self.sequence, 0, self.sequence)

    def advanced(self, sequence: int) -> "Progress":
        """With new events done up to there."""
        return replace(self, sequence=sequence)

    def folded_again(self, sequence: int) -> "Progress":
        """With older events done up to there."""
        return replace(self, again_from=min(sequence, self.again_until))


def read(log: "DeliveryLog") -> Progress | None:
    """What was reached; None at the very beginning, and when what stands there is not ours."""
    value = log.progress(NAME)
    if value is None:
        return None
    version, digest = value.get("version"), value.get("digest")
    if not isinstance(version, int) or not isinstance(digest, str):
        return None
    return Progress(version, digest, *(_number(value, key) for key in ("sequence", "again_from", "again_until")))


def write(log: "DeliveryLog", progress: Progress) -> None:
    """Remember it."""
    log.put_progress(
        NAME,
        {
            "version": progress.version,
            "digest": progress.digest,
            "sequence": progress.sequence,
            "again_from": progress.again_from,
            "again_until": progress.again_until,
        },
    )


def events_behind(log: "DeliveryLog") -> int:
    """Events that no fact was made of yet."""
    progress = read(log)
    return max(log.last_sequence() - (progress.sequence if progress is not None else 0), 0)


def events_by_other_rules(log: "DeliveryLog", version: int, digest: str) -> int:
    """Events whose facts still follow other rules than these."""
    progress = read(log)
    if progress is None:
        return 0
    current = progress.under(version, digest)
    return current.again_until - current.again_from if current.is_folding_again else 0


def done_up_to(log: "DeliveryLog") -> int:
    """The last event that is in the facts by the rules of today: what comes after it must not be forgotten yet."""
    progress = read(log)
    if progress is None:
        return 0
    return progress.again_from if progress.is_folding_again else progress.sequence


def _number(value: Mapping[str, JSON], key: str) -> int:
    number = value.get(key)
    return number if isinstance(number, int) else 0
