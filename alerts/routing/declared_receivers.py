"""Receiver documents as receivers, and everything that is wrong with them."""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from alerts.reporting import Report
from alerts.routing.model import CONSOLE_LANE, EVERY_PRIORITY, Channel, ChannelKind, Receiver
from alerts.routing.spec import ChannelPart, ReceiverDocument
from controlplane.model.incident import Priority
from controlplane.model.source import SourcePosition
from controlplane.problems import SECRET, Problem
from controlplane.specfile import Declared, Document, declared_by_name

RULE: Final = "receiver"
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")  # capitals: what is pasted here by mistake has others
_ADDRESS: Final = re.compile(r"[^\s@,;<>\"\x00-\x1f]{1,64}@[^\s@,;<>\"\x00-\x1f]{1,190}")
_PLAIN: Final = ("routing_key", "token", "secret")
_PAGERDUTY_PREFIX: Final = "FLYBALL_PAGERDUTY_"
_SLACK_TOKEN: Final = "FLYBALL_SLACK_TOKEN"  # noqa: S105 -- a variable's name
_LONGEST_NAME: Final = 100
_HASH_DIGITS: Final = 8
Path = tuple[str | int, ...]


def declared(documents: Sequence[Document]) -> Declared[Receiver]:
    """The receivers that these documents declare, by name. One with a mistake is left out; its problems are told."""
    known: dict[str, tuple[Channel, SourcePosition]] = {}

    def read(document: Document, value: ReceiverDocument) -> tuple[Receiver | None, Sequence[Problem]]:
        report = Report(document, RULE)
        receiver = _receiver(report, value, known)
        return (None if report.has_errors else receiver), report.problems

    return declared_by_name(documents, ReceiverDocument, read)


def _receiver(report: Report, value: ReceiverDocument, known: dict[str, tuple[Channel, SourcePosition]]) -> Receiver:
    report.check_name(value.metadata.name)
    channels = {}
    for key, parts in (("channels", value.spec.channels), ("fallback", value.spec.fallback)):
        found: list[Channel] = []
        for number, part in enumerate(parts):
            path: Path = ("spec", key, number)
            channel = _channel(report, part, path)
            if channel is None:
                continue
            if any(channel.name == other.name for other in found):
                report.error(*path, message=f"`{channel.name}` is there twice", hint="one channel tells once")
            _check_same(report, channel, path, known)
            found.append(channel)
        channels[key] = tuple(found)
    return Receiver(
        name=value.metadata.name,
        channels=channels["channels"],
        fallback=channels["fallback"],
        display_name=value.metadata.display_name,
        source=report.document.position_of("metadata", "name"),
    )


def _check_same(report: Report, channel: Channel, path: Path, known: dict[str, tuple[Channel, SourcePosition]]) -> None:
    """One lane of the outbox is delivered with one set of settings."""
    first, where = known.setdefault(channel.name, (channel, report.document.position_of(*path)))
    if dict(first.settings) != dict(channel.settings):
        differing = sorted(
            key for key in {*first.settings, *channel.settings} if first.settings.get(key) != channel.settings.get(key)
        )
        message = f"`{channel.name}` has another {' and '.join(differing)} than at {where}"
        report.error(*path, message=message, hint="what is told on one channel is told in one way")


def _channel(report: Report, part: ChannelPart, path: Path) -> Channel | None:
    given = [kind for kind in ChannelKind if getattr(part, kind.value) is not None]
    if len(given) != 1:
        choices = ", ".join(kind.value for kind in ChannelKind)
        if given:
            message = f"{' and '.join(kind.value for kind in given)} exclude each other"
            report.error(*path, given[1].value, message=message, hint="one channel an item", on_key=True)
        else:
            report.error(*path, message="no channel", hint=f"write one of {choices}")
        return None
    kind = given[0]
    settings = _settings(report, getattr(part, kind.value), (*path, kind.value))
    priorities = frozenset(map(Priority, part.priorities)) if part.priorities else EVERY_PRIORITY
    return Channel(_lane(kind, settings), kind, settings, priorities)


def _settings(report: Report, part: BaseModel, path: Path) -> dict[str, str]:
    """What the part says, by the keys that users write; what is left out without a standard is not there."""
    found: dict[str, str] = {}
    for name, field in type(part).model_fields.items():
        written, alias = getattr(part, name), field.alias or name
        if written is None:
            continue
        at = (*path, alias)
        if name in _PLAIN:
            hint = f"put it into an environment variable, and the variable's name under `{alias}From`"
            report.error(*at, message="a secret in plain text", hint=hint, rule=SECRET, on_key=True)
        elif name.endswith("_from"):
            _check_variable(report, written, at)
            found[alias] = written
        elif name == "url":
            _check_url(report, written, at)
            found[alias] = written.rstrip("/")
        elif name == "to":
            found[alias] = ",".join(dict.fromkeys(written))
            for number, address in enumerate(written):
                _check_address(report, address, (*at, number))
        else:
            if name == "sender":
                _check_address(report, written, at)
            found[alias] = written
    return found


def _check_variable(report: Report, name: str, path: Path) -> None:
    if not _VARIABLE.fullmatch(name):
        message = "not the name of an environment variable"
        hint = "capitals, digits and `_`; the secret itself must not stand in a file"
        report.error(*path, message=message, hint=hint, rule=SECRET)


def _check_address(report: Report, address: str, path: Path) -> None:
    if not _ADDRESS.fullmatch(address):
        report.error(*path, message=f"`{address[:80]}` is not an address", hint="such as oncall@example.com, no name")


def _check_url(report: Report, url: str, path: Path) -> None:
    hint = "such as https://hooks.example.com/flyball"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        report.error(*path, message="not a web address", hint=hint)
        return
    if parts.username is not None or parts.password is not None:
        hint = "requests are signed with the secret that `secretFrom` names"
        report.error(*path, message="credentials in the address", hint=hint, rule=SECRET)
    elif parts.scheme not in ("http", "https") or not host or re.search(r"\s", url) or parts.fragment:
        report.error(*path, message="not a web address", hint=hint)


def _lane(kind: ChannelKind, settings: dict[str, str]) -> str:
    """The channel's name: the same for the same channel in every receiver, without anything that is secret."""
    match kind:
        case ChannelKind.PAGERDUTY:
            variable = settings.get("routingKeyFrom", "")
            short = variable.removeprefix(_PAGERDUTY_PREFIX)
            what = short.lower() if short != variable else variable
        case ChannelKind.SLACK:
            token = settings.get("tokenFrom", _SLACK_TOKEN)
            what = settings.get("channel", "") + (f"@{token}" if token != _SLACK_TOKEN else "")
        case ChannelKind.EMAIL:
            what = ",".join(sorted(settings.get("to", "").split(",")))
        case ChannelKind.WEBHOOK:  # its path may be what nobody else should know
            url = settings.get("url", "")
            what = f"{_host(url)}-{_hash(url)}"
        case ChannelKind.CONSOLE:
            return CONSOLE_LANE
    name = f"{kind.value}:{what}"
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1 - _HASH_DIGITS]}-{_hash(name)}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
