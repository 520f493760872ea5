"""What commands ask of whoever types them: who it is, lengths and times; and how they answer."""

import os
import pwd
import re
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

_LENGTH: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[-+]\d{2}:\d{2})?", re.ASCII)


def login_name() -> str:
    """That of the user whose process this is; the system's number of one without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def now() -> datetime:
    """By the machine's clock."""
    from controlplane.adapters.clock import SystemClock

    return SystemClock().now()


def new_id() -> str:
    """An id that was not there before."""
    from secrets import token_hex

    return token_hex(6)


def end_or_exit(length: str, until: str, at: datetime) -> datetime | None:
    """When it ends: after a length, or at a time with a zone; None when neither is said."""
    if length and until:
        raise typer.BadParameter("say one of --for and --until", param_hint="--until")
    if length:
        return at + length_or_exit(length, "--for")
    return _time_or_exit(until, at) if until else None


def length_or_exit(text: str, option: str) -> timedelta:
    """A length such as 30m, 2h, 1d; not zero."""
    match = _LENGTH.fullmatch(text.strip())
    if match is None or int(match[1]) == 0:
        raise typer.BadParameter(f"`{text}` is no length: write 30m, 2h or 1d", param_hint=option)
    return int(match[1]) * _UNITS[match[2]]


def _time_or_exit(text: str, at: datetime) -> datetime:
    match = _TIME.fullmatch(text.strip())
    try:
        found = datetime.fromisoformat(text.strip()) if match else None
    except ValueError:
        found = None
    if found is None or match is None:
        hint = f"`{text}` is no time: write it with a zone, such as {at + timedelta(hours=2):%Y-%m-%dT%H:%M}Z"
        raise typer.BadParameter(hint, param_hint="--until")
    if match[2] is None:
        hint = f"`{text}` has no time zone: write {found:%Y-%m-%dT%H:%M}Z for UTC, or an offset such as +01:00"
        raise typer.BadParameter(hint, param_hint="--until")
    if found <= at:
        raise typer.BadParameter(f"`{text}` is over: it is {at:%Y-%m-%dT%H:%M:%SZ} now", param_hint="--until")
    return found.astimezone(UTC)


def printed(data: object, text: str, *, as_json: bool) -> None:
    """As JSON or as text."""
    import json

    typer.echo(json.dumps(data, ensure_ascii=False) if as_json else text)
