"""Alertmanager over its HTTP API v2: what it holds."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from controlplane.adapters.http_answer import HTTPConversation
from controlplane.ports import Transient

_PATH: Final = "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true"
_LIMIT_BYTES: Final = 64 * 1024 * 1024
_TIMEOUT_SECONDS: Final = 10.0
_NO_HEADERS: Final[Mapping[str, str]] = {}


class AlertmanagerBackend:
    """`alerts.ports.AlertSource` on Alertmanager 0.22 or later. `url` may have a path (`--web.route-prefix`)."""

    def __init__(
        self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS, headers: Mapping[str, str] = _NO_HEADERS
    ) -> None:
        self._server = HTTPConversation(
            "Alertmanager", url, timeout_seconds=timeout_seconds, limit_bytes=_LIMIT_BYTES, headers=headers
        )

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def held(self) -> dict[str, datetime]:
        """Fingerprint and start of every alert that has not ended, silenced and inhibited ones too; see the port."""
        answer = self._server.ask("GET", _PATH)
        if not answer.succeeded:
            raise Transient(f"Alertmanager at {self._server.address} answered {answer.status}: {answer.words(300)}")
        try:
            return {str(row["fingerprint"]): _time(row["startsAt"]) for row in _rows(answer.body)}
        except (LookupError, TypeError, ValueError, RecursionError) as error:
            raise Transient(
                f"Alertmanager at {self._server.address} answered something that is not its JSON: {error!r}"
            ) from error


def _rows(body: bytes) -> list[dict[str, str]]:
    rows = json.loads(body)
    if not isinstance(rows, list):
        raise ValueError("not a list")
    return rows


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
