"""Alertmanager over its HTTP API v2: the alerts that it holds, and its silences."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from controlplane.adapters.http_answer import Answer, HTTPConversation
from controlplane.model.matcher import Matcher, MatchOperator
from controlplane.model.silence import HeldAlert, Silence
from controlplane.ports import Permanent, Transient

_ALERTS: Final = "/api/v2/alerts?active=true&silenced=true&inhibited=true&unprocessed=true"
_SILENCES: Final = "/api/v2/silences"
_LIMIT_BYTES: Final = 64 * 1024 * 1024
_TIMEOUT_SECONDS: Final = 10.0
_NO_HEADERS: Final[Mapping[str, str]] = {}
_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_OVER: Final = "expired"
_ID: Final = 64
_EXPRESSIONS: Final = (MatchOperator.MATCHES, MatchOperator.DOES_NOT_MATCH)
_POSITIVE: Final = (MatchOperator.EQUAL, MatchOperator.MATCHES)
T = TypeVar("T")


class AlertmanagerBackend:
    """What Alertmanager 0.22 or later holds. `url` may have a path (`--web.route-prefix`).

    It is `alerts.ports.AlertSource`, `HeldAlerts` and `SilenceKeeper`. Errors: `Transient` when it is unreachable
    or its answer is not whole, `Permanent` when it refuses a silence.
    """

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
        return {each.fingerprint: each.starts_at for each in self.alerts()}

    def alerts(self) -> list[HeldAlert]:
        """Every alert that has not ended, and what keeps it quiet."""
        return self._read(self._ask("GET", _ALERTS), _alert)

    def silences(self) -> list[Silence]:
        """Those that are active or will be."""
        found = self._read(self._ask("GET", _SILENCES), lambda row: None if _is_over(row) else _silence(row))
        return [silence for silence in found if silence is not None]

    def put(self, silence: Silence) -> str:
        """Create it, or change the one of its id; the id that it has from now on."""
        body = {
            "matchers": [
                {
                    "name": each.name,
                    "value": each.value,
                    "isRegex": each.operator in _EXPRESSIONS,
                    "isEqual": each.operator in _POSITIVE,
                }
                for each in silence.matchers
            ],
            "startsAt": silence.starts_at.isoformat(),
            "endsAt": silence.ends_at.isoformat(),
            "createdBy": silence.created_by,
            "comment": silence.comment,
        }
        if silence.id:
            body["id"] = silence.id
        answer = self._ask("POST", _SILENCES, json.dumps(body).encode())
        return self._read(answer, lambda row: str(row["silenceID"]), is_one=True)[0]

    def expire(self, silence_id: str) -> None:
        """End it; one that is gone or over already is no error."""
        path = f"/api/v2/silence/{_plain(silence_id)}"
        answer = self._server.ask("DELETE", path)
        if answer.status == _NOT_FOUND or answer.succeeded or "already expired" in answer.words(300):
            return
        raise self._refused(answer)

    def _ask(self, method: str, path: str, content: bytes | None = None) -> Answer:
        answer = self._server.ask(method, path, content=content, content_type="application/json" if content else "")
        if not answer.succeeded:
            raise self._refused(answer)
        return answer

    def _refused(self, answer: Answer) -> Transient | Permanent:
        text = f"Alertmanager at {self._server.address} answered {answer.status}: {answer.words(300)}"
        return Permanent(text) if answer.status == _BAD_REQUEST else Transient(text)

    def _read(self, answer: Answer, read: Callable[[dict[str, Any]], T], *, is_one: bool = False) -> list[T]:
        try:
            found: Any = json.loads(answer.body)
            rows: Any = [found] if is_one else found
            if not isinstance(rows, list):
                raise ValueError("not a list")
            return [read(row) for row in rows]
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise Transient(
                f"Alertmanager at {self._server.address} answered something that is not its JSON: {error!r}"
            ) from error


def _alert(row: dict[str, Any]) -> HeldAlert:
    status = row.get("status") or {}
    return HeldAlert(
        fingerprint=str(row["fingerprint"]),
        starts_at=_time(row["startsAt"]),
        labels={str(name): str(value) for name, value in (row.get("labels") or {}).items()},
        silenced_by=_texts(status.get("silencedBy")),
        inhibited_by=_texts(status.get("inhibitedBy")),
        muted_by=_texts(status.get("mutedBy")),
        receivers=tuple(str(each["name"]) for each in row.get("receivers") or ()),
    )


def _silence(row: dict[str, Any]) -> Silence:
    return Silence(
        id=str(row["id"]),
        matchers=tuple(_matcher(each) for each in row["matchers"]),
        starts_at=_time(row["startsAt"]),
        ends_at=_time(row["endsAt"]),
        created_by=str(row["createdBy"]),
        comment=str(row["comment"]),
    )


def _matcher(row: dict[str, Any]) -> Matcher:
    is_equal = row.get("isEqual", True) is not False  # older ones know no negation
    chosen = next(
        each for each in MatchOperator if (each in _EXPRESSIONS, each in _POSITIVE) == (row["isRegex"], is_equal)
    )
    return Matcher(str(row["name"]), chosen, str(row["value"]))


def _is_over(row: dict[str, Any]) -> bool:
    return bool(row["status"]["state"] == _OVER)


def _texts(found: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(str(each) for each in found or ())


def _plain(silence_id: str) -> str:
    if not silence_id or len(silence_id) > _ID or not silence_id.replace("-", "").isalnum():
        raise Permanent(f"`{silence_id[:_ID]}` is not the id of a silence")
    return silence_id


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
