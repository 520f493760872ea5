"""How things are sent to the outside by more than one feature: mail, and requests to addresses that others gave us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from controlplane.ports import Permanent

if TYPE_CHECKING:
    from email.message import EmailMessage


class RecipientsRefused(Permanent):
    """The mail server knows none of the recipients; `codes` by address. Nobody got the mail."""

    def __init__(self, message: str, codes: Mapping[str, int]) -> None:
        super().__init__(message)
        self.codes = codes


class MailServer(Protocol):
    """Takes our mail.

    Errors: `Transient` for what may pass: the network, 4xx answers, trouble with our login; `Permanent` for a message
    that it refuses, and `RecipientsRefused` when it has no mailbox for any recipient.
    """

    def send(self, mail: EmailMessage, recipients: Sequence[str]) -> None:
        """Hand it over for these recipients, whatever its headers say. Returning means that it was taken for all."""
        ...


@dataclass(frozen=True, slots=True)
class OutsideAnswer:
    """What came back, whatever its status; `body` is cut. Header names are in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class OutsideHttp(Protocol):
    """Posts to addresses that we do not choose ourselves.

    Errors: `Permanent` for an address that is not allowed, `Transient` when no whole answer came in time.
    """

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> OutsideAnswer:
        """The answer. Redirects are not followed."""
        ...
