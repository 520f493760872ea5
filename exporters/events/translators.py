"""What a translator is: it knows one sender's webhooks, whether they are genuine, and which events they tell of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from controlplane.model.event import JSON

SIGNING: Final = ("github", "gitlab", "pagerduty")  # have secrets of their own; the others bring the token for events


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a delivery is not looked at: `status` is HTTP's (401: not genuine or replayed), `message` a sentence.

    It never tells what the right signature or secret would have been.
    """

    status: int
    message: str


class Translator(Protocol):
    """One sender. Header names are lower-case. Nothing of it reads a clock, a disk or the network."""

    @property
    def name(self) -> str:
        """The sender, as it stands in `/events/NAME` and in the label `sender`."""
        ...

    def authenticate(
        self, headers: Mapping[str, str], body: bytes, secrets: Sequence[bytes], now: datetime
    ) -> Refusal | None:
        """Whether the sender knows one of the secrets (there is at least one); None when it does.

        Everything that needs only the raw request belongs here: signatures, bearer tokens, the age of what is signed.
        """
        ...

    def translate(self, headers: Mapping[str, str], payload: object, now: datetime) -> list[dict[str, JSON]]:
        """CloudEvents in the JSON format whose data are CDEvents; empty when it tells of nothing that matters.

        A delivery that comes again gives the same (source, id). `payload` is the body read as JSON (a form field
        `payload` is read for the translator). Numbers may be floats. Raises `exporters.cloudevents.faults.Malformed`
        with the field as a path (`pull_request.merged_at`); what the intake then refuses is a mistake of the
        translator.
        """
        ...
