"""Structured logs: an event name and fields, one line each, as logfmt or JSON, without secrets."""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import IO, Final

from opentelemetry import trace

from flyball.settings import Secret

_PLAIN: Final = re.compile(r"[^\s\"=\\]+")
_QUIET: Final = {
    "uvicorn": logging.WARNING,
    "apscheduler": logging.ERROR,  # what it would warn of is counted and logged by our scheduler
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpcore2": logging.WARNING,
    "alembic": logging.WARNING,
    "opentelemetry": logging.ERROR,
    "opentelemetry.exporter": logging.CRITICAL,  # `flyball.telemetry` tells it once an outage
    "urllib3": logging.ERROR,
}
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class EventFormatter(logging.Formatter):
    """A record as one line: time, level, event, its fields and the trace that it belongs to.

    Fields are what a caller hands to `extra`. Known secrets become `***` wherever they turn up.
    """

    def __init__(self, *, as_json: bool, secrets: Iterable[Secret] = ()) -> None:
        super().__init__()
        self._as_json = as_json
        self._secrets = sorted({secret.reveal() for secret in secrets}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the fields hold."""
        fields = {name: self._clean(value) for name, value in _fields(record).items()}
        if self._as_json:
            return json.dumps(fields, ensure_ascii=False, default=str)
        return " ".join(f"{name}={_logfmt(value)}" for name, value in fields.items())

    def _clean(self, value: object) -> object:
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "event": record.getMessage(),
        "logger": record.name,
    }
    for name, value in vars(record).items():
        if name == "fields" and isinstance(value, dict):
            fields.update(value)
        elif name not in _STANDARD:
            fields[name] = value
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        fields["trace_id"] = trace.format_trace_id(span.trace_id)
    if record.exc_info and record.exc_info[1]:
        fields.setdefault("error", f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}")
        fields["stack"] = "".join(traceback.format_exception(record.exc_info[1]))
    return fields


def _logfmt(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _PLAIN.fullmatch(text) and text.isprintable():
        return text
    return json.dumps(text, ensure_ascii=not text.replace("\n", "").isprintable())


def set_up_logs(*, log_format: str, level: str, secrets: Iterable[Secret] = (), stream: IO[str] | None = None) -> None:
    """Send all logs of this process to `stream` (standard error): logfmt, or JSON when `log_format` is `json`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(EventFormatter(as_json=log_format == "json", secrets=secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
