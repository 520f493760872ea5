"""Tells alerts to whoever looks at the process: a line or a small block each, on a stream."""

import unicodedata
from datetime import datetime
from typing import IO, Final

from alerts.told import from_payload
from controlplane import conventions
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient

CHANNEL: Final = "console"
_INDENT: Final = "    "


class ConsoleNotifier:
    """Writes to `stream` and flushes it, so that a message counts as delivered only when it is out."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    @property
    def channel(self) -> str:
        """`console`."""
        return CHANNEL

    def notify(self, message: OutboxMessage) -> None:
        """Write it. Raises `Permanent` for a payload that is no alert, `Transient` when the stream does not take it."""
        try:
            alert = from_payload(message.payload)
        except ValueError as error:
            raise Permanent(f"not an alert: {error}") from error
        try:
            self._stream.write(described(alert) + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            raise Transient(f"the console cannot be written to: {error}") from error


def described(alert: Alert) -> str:
    """What an on-call person needs, without control characters: who says what about which SLO, and where to read on."""
    firing = alert.status is AlertStatus.FIRING
    at = alert.starts_at if firing or alert.ends_at is None else alert.ends_at
    severity = f"{_printable(alert.labels.get(conventions.SEVERITY, '')):<6}"
    head = f"{_second(at)} {'FIRING  ' if firing else 'RESOLVED'} {severity} {_printable(_name(alert))}"
    lines = [alert.annotations.get(conventions.SUMMARY, "")]
    if firing:
        lines += alert.annotations.get(conventions.DESCRIPTION, "").splitlines()
        lines += _named("worst", alert.annotations.get(conventions.WORST, ""))
        lines += _named("runbook", alert.annotations.get(conventions.RUNBOOK_URL, ""))
        lines += _named("dashboard", alert.annotations.get(conventions.DASHBOARD_URL, ""))
    else:
        lines.append(f"fired for {_duration(alert)}")
    return f"\n{_INDENT}".join([head, *filter(None, map(_printable, lines))])


def _name(alert: Alert) -> str:
    name = alert.labels.get("alertname", alert.fingerprint)
    slo = alert.labels.get(conventions.SLO)
    return f"{name} slo={slo}" if slo else name


def _named(name: str, text: str) -> list[str]:
    return [f"{name}: {text}"] if text else []


def _second(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ")


def _duration(alert: Alert) -> str:
    assert alert.ends_at is not None
    minutes = round((alert.ends_at - alert.starts_at).total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _printable(text: str) -> str:
    """`text` on one line; escape sequences, bidirectional marks and the like can't reach a terminal."""
    spaced = " ".join(text.split())
    return "".join(character for character in spaced if unicodedata.category(character)[0] != "C")
