"""Tells alerts and incidents to whoever looks at the process: a line or a small block each, on a stream."""

import unicodedata
from datetime import datetime
from typing import IO, Final

from alerts.messages import words
from alerts.model import Snapshot
from alerts.ports import Snapshots
from alerts.told import from_payload
from controlplane import conventions
from controlplane.model.alert import Alert, AlertStatus
from controlplane.model.outbox import OutboxMessage
from controlplane.ports import Permanent, Transient

CHANNEL: Final = "console"
_INDENT: Final = "    "


class ConsoleNotifier:
    """Writes to `stream` and flushes it, so that a message counts as delivered only when it is out.

    `snapshots` are asked for incidents of which there is news.
    """

    def __init__(self, stream: IO[str], snapshots: Snapshots | None = None, channel: str = CHANNEL) -> None:
        self._stream = stream
        self._snapshots = snapshots
        self._channel = channel

    @property
    def channel(self) -> str:
        """`console`, or the lane of receivers."""
        return self._channel

    def notify(self, message: OutboxMessage) -> None:
        """Write it.

        Raises `Permanent` for a payload that is neither an alert nor an incident's, `Transient` when the stream does
        not take it, and what the store raises.
        """
        text = self._text(message)
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            raise Transient(f"the console cannot be written to: {error}") from error

    def _text(self, message: OutboxMessage) -> str:
        incident = message.payload.get("incident")
        if isinstance(incident, str):
            found = self._snapshots.of(incident) if self._snapshots else None
            if found is None:
                raise Permanent(f"there is no incident {incident}")
            return described_incident(found)
        try:
            return described(from_payload(message.payload))
        except ValueError as error:
            raise Permanent(f"not an alert: {error}") from error


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


def described_incident(snapshot: Snapshot) -> str:
    """How an incident stands, in a few lines."""
    links = [*(f"runbook: {each.url}" for each in snapshot.runbooks), *filter(None, [snapshot.page_url])]
    lines = [words.state_of(snapshot), words.alerts_line(snapshot), *links]
    if snapshot.incident.is_open:
        lines[1:1] = [line for said in words.said_by_alerts(snapshot) for line in said.splitlines()]
    head = f"{_second(snapshot.taken_at)} {words.headline(snapshot.incident)}"
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
