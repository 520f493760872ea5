"""Range queries through prometheus-api-client: for the newest steps, where its cost is its round trip.

The package repeats, follows redirects, waits for each read of a socket rather than for an answer, and takes answers of
any size. A response hook bounds all that, and sorts failures before the package makes one exception of them.
"""

import io
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, Final

import orjson
import requests
from prometheus_api_client import PrometheusConnect
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as SocketTimeout
from urllib3.util.retry import Retry

from controlplane.adapters.prometheus_matrix_answer import (
    SERVER_PATIENCE,
    RangeAnswer,
    Span,
    batches_of,
    failure,
    understood,
    warnings_of,
)
from controlplane.ports import Permanent, Transient

_CHUNK_BYTES: Final = 65_536
_SUCCESS: Final = 200
_REDIRECT: Final = range(300, 400)
_NOTED: Final = (b'"warnings":', b'"isPartial":true')


class ClientReader:
    """`RangeReader`. `url` is without credentials. Expressions go into an address: not for long ones.

    Threads may share it.
    """

    def __init__(self, url: str, *, timeout_seconds: float, headers: Mapping[str, str], limit_bytes: int) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._headers = dict(headers)
        self._limit_bytes = limit_bytes
        self._idle: SimpleQueue[_Connection] = SimpleQueue()  # requests' sessions are for one thread at a time

    def close(self) -> None:
        """Close the connections that are idle."""
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return

    def read(self, query: str, span: Span) -> RangeAnswer:
        """The series of the query in that span."""
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = _Connection(self._url, self._timeout_seconds, self._headers, self._limit_bytes)
        with ExitStack() as failing:  # a connection that failed is not used again
            failing.callback(connection.close)
            rows, warnings = connection.range(query, span)
            failing.pop_all()
        self._idle.put(connection)
        return RangeAnswer(batches_of(self._url, rows, span), warnings)


class _Connection:
    def __init__(self, url: str, timeout_seconds: float, headers: Mapping[str, str], limit_bytes: int) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._limit_bytes = limit_bytes
        self._deadline = 0.0
        self._warnings: tuple[str, ...] = ()
        session = requests.Session()
        session.trust_env = False  # no proxies and no .netrc
        session.hooks["response"].append(self._bounded)
        self._session = session
        self._client = PrometheusConnect(
            url,
            headers=dict(headers),
            retry=Retry(0, read=False, redirect=False),
            session=session,
            timeout=timeout_seconds,
        )

    def close(self) -> None:
        self._session.close()

    def range(self, query: str, span: Span) -> tuple[list[Any], tuple[str, ...]]:
        self._deadline = time.monotonic() + self._timeout_seconds
        self._warnings = ()
        try:
            rows = understood(
                self._url,
                lambda: self._client.custom_query_range(
                    query,
                    datetime.fromtimestamp(span.start_seconds, UTC),
                    datetime.fromtimestamp(span.end_seconds, UTC),
                    f"{span.step_seconds}s",
                    params={"timeout": f"{SERVER_PATIENCE * self._timeout_seconds:g}s"},
                ),
            )
        except (requests.Timeout, TimeoutError) as error:
            raise self._too_slow() from error
        except requests.RequestException as error:
            raise Transient(f"Prometheus at {self._url} is unreachable: {type(error).__name__}") from error
        if not isinstance(rows, list):
            raise Transient(f"Prometheus at {self._url} answered something that is not its JSON: no list of series")
        return rows, self._warnings

    def _bounded(self, response: requests.Response, *_args: Any, **_options: Any) -> None:
        """Read the whole answer, within its bounds; every one but a success is raised here."""
        if response.status_code in _REDIRECT:
            target = response.headers.get("location", "nowhere")
            raise Permanent(f"Prometheus at {self._url} redirects to {target}: use that address")
        body = self._read(response)
        if response.status_code != _SUCCESS:
            raise failure(self._url, response.status_code, body)
        if any(note in body for note in _NOTED):
            self._warnings = understood(self._url, lambda: warnings_of(orjson.loads(body)))
        response.raw = io.BytesIO(body)

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        try:
            for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=True):
                body += chunk
                if len(body) > self._limit_bytes:
                    raise Permanent(
                        f"Prometheus at {self._url} answers with more than {self._limit_bytes:,} bytes: "
                        "ask for fewer series or a shorter time"
                    )
                if time.monotonic() > self._deadline:
                    raise self._too_slow()
        except (TimeoutError, SocketTimeout) as error:
            raise self._too_slow() from error
        except (HTTPError, OSError) as error:
            raise Transient(f"Prometheus at {self._url} broke off: {type(error).__name__}") from error
        return bytes(body)

    def _too_slow(self) -> Transient:
        return Transient(f"Prometheus at {self._url} did not answer within {self._timeout_seconds:g} s")
