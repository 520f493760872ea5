"""The endpoint that takes events, of this Flyball or another one."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import httpx
import orjson

from controlplane.ports import Permanent, Transient
from exporters.cloudevents.requests import BATCH

PATH: Final = "/events"
MAX_EVENTS: Final = 1_000  # of one request
MAX_BYTES: Final = 4 * 1024 * 1024
_AGAIN: Final = (408, 425, 429, 500, 502, 503, 504)
_TAKEN: Final = (200, 202)
_SHOWN: Final = 300  # characters of an answer that is no JSON


class Refused(Permanent):
    """The endpoint does not take these events; sending them again would change nothing. `data` is its answer."""

    def __init__(self, message: str, status: int, data: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.data = data


class Endpoint:
    """`url` is that of the console. Redirects are not followed: they would carry the token elsewhere."""

    def __init__(self, url: str, token: str, timeout_seconds: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH, "User-Agent": "flyball"}
        self._url = f"{url.rstrip('/')}{PATH}"
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds)

    def __enter__(self) -> "Endpoint":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, bodies: Sequence[bytes]) -> dict[str, Any]:
        """Send events, each a JSON object, as one batch; what became of them.

        Raises `Transient` where another attempt may help, and `Refused`.
        """
        try:
            answer = self._client.post(self._url, content=b"[" + b",".join(bodies) + b"]")
        except httpx.InvalidURL as error:
            raise Permanent(f"{self._url}: {error}") from None
        except httpx.HTTPError as error:
            raise Transient(f"{self._url}: {error}") from None
        data = _data(answer)
        if answer.status_code in _TAKEN and "accepted" in data:
            return data
        said = str(data.get("error") or answer.text[:_SHOWN] or answer.reason_phrase)
        message = f"{self._url}: {answer.status_code}: {said}"
        if answer.status_code in _AGAIN and "no secret is configured" not in said:
            raise Transient(message)
        raise Refused(message, answer.status_code, data)


def batches(bodies: Sequence[bytes]) -> list[list[bytes]]:
    """Events in requests that are not too large."""
    found: list[list[bytes]] = []
    size = 0
    for body in bodies:
        if not found or len(found[-1]) >= MAX_EVENTS or size + len(body) > MAX_BYTES:
            found.append([])
            size = 0
        found[-1].append(body)
        size += len(body) + 1
    return found


def _data(answer: httpx.Response) -> dict[str, Any]:
    try:
        data = orjson.loads(answer.content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
