"""A mail server on loopback that takes everything and puts it into the pager's mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final

from aiosmtpd.controller import Controller

from controlplane.ports import Clock
from flyball.demo.pager.model import Mail, Pager
from flyball.demo.servers import free_port

LOOPBACK: Final = "127.0.0.1"
_LONGEST: Final = 20_000


class _Handler:
    """Takes mails as aiosmtpd hands them over."""

    def __init__(self, pager: Pager, clock: Clock) -> None:
        self._pager = pager
        self._clock = clock

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        """Keep it."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()) if body is not None else ""
        mail = Mail(tuple(envelope.rcpt_tos), str(message.get("Subject", "")), text[:_LONGEST], self._clock.now())
        self._pager.receive(mail)
        return "250 OK"


@contextmanager
def receiving(pager: Pager, clock: Clock) -> Iterator[str]:
    """The URL of a mail server that takes mails until the end of the block."""
    controller = Controller(_Handler(pager, clock), hostname=LOOPBACK, port=free_port())
    controller.start()
    try:
        yield f"smtp://{LOOPBACK}:{controller.port}"
    finally:
        controller.stop()
