"""`MatrixBackend` on Prometheus' range queries (docs/decisions/0018): which requests are made, and how they are joined.

The newest steps are read through prometheus-api-client, weeks by a thin reader of our own.
"""

import threading
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray

from controlplane.adapters.prometheus_matrix_answer import RangeAnswer, RangeReader, Span, is_too_much
from controlplane.adapters.prometheus_matrix_thin import ThinReader
from controlplane.matrix_ports import SampleMatrix
from controlplane.ports import Permanent, Transient

POINTS_PER_REQUEST: Final = 10_000  # Prometheus refuses more than 11,000 a series (web/api/v1/api.go)
CELLS_PER_REQUEST: Final = 500_000  # 17 MB of answer; of the 50 million samples of --query.max-samples, 49 are left
CLIENT_STEPS: Final = 12  # the newest steps, an hour at 5 min (docs/decisions/0018)
_BYTES_PER_CELL: Final = 34
_LIMIT_BYTES: Final = 128 * 1024 * 1024
_COUNTED: Final = 12  # of so many steps the series are counted first, at so many moments
_LONGEST_SECONDS: Final = 300.0
_NO_HEADERS: Final[Mapping[str, str]] = {}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_LEAST_ROWS: Final = 16
_LONG_QUERY: Final = 2_000  # bytes: the package puts it, escaped threefold, into an address of at most some 8,000
_NAME: Final = "__name__"
_NUL: Final = "\0"  # may stand in a label, and in no text of PostgreSQL's
_REPLACED: Final = "\u2400"  # which PromQL can ask for, unlike U+FFFD

Values = NDArray[np.floating[Any]]
Key = tuple[tuple[str, str], ...]


class PrometheusMatrix:
    """`MatrixBackend` on Prometheus 2.42 or later, or what speaks its query API (Thanos, Mimir, VictoriaMetrics).

    `url`, `headers` and `credentials` as of `PrometheusBackend`. Requests of at most `client_steps` steps go through
    prometheus-api-client, the others (and expressions too long for an address) through the thin reader. Nothing is
    repeated.
    Answers come as they are unless `compressed`: gzip takes Prometheus seven times the processor time, and us twice, to
    save the network four fifths of its bytes.
    Each request is bounded by `timeout_seconds` and `limit_bytes`, a whole reading by `longest_seconds`. A request
    that Prometheus finds too large or too slow is cut in halves. Safe to share between threads.

    Errors as of `PrometheusBackend`.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 60,
        headers: Mapping[str, str] = _NO_HEADERS,
        credentials: str = "",
        limit_bytes: int = _LIMIT_BYTES,
        longest_seconds: float = _LONGEST_SECONDS,
        client_steps: int = CLIENT_STEPS,
        compressed: bool = False,
    ) -> None:
        self._plain_url, found = _apart(url)
        if credentials or found:
            headers = {**headers, "Authorization": f"Basic {b64encode((credentials or found).encode()).decode()}"}
        if not compressed:
            headers = {"Accept-Encoding": "identity", **headers}
        self._terms: Mapping[str, Any] = {
            "timeout_seconds": timeout_seconds,
            "headers": headers,
            "limit_bytes": limit_bytes,
        }
        self._thin = ThinReader(self._plain_url, **self._terms)
        self._client: RangeReader | None = None
        self._making = threading.Lock()
        self._client_steps = client_steps
        self._limit_bytes = limit_bytes
        self._longest_seconds = longest_seconds

    @property
    def address(self) -> str:
        """Its URL without credentials, for messages."""
        return self._plain_url

    def close(self) -> None:
        """Close the connections."""
        self._thin.close()
        if self._client is not None:
            self._client.close()

    def matrix(
        self, query: str, start: datetime, end: datetime, step: timedelta, *, most_series: int, exact: bool = False
    ) -> SampleMatrix:
        """As `MatrixBackend` says. Raises ValueError for a step that is not whole seconds."""
        if step < _SECOND or step % _SECOND:
            raise ValueError(f"the step is not whole seconds: {step}")
        first = -((_EPOCH - start) // step)
        whole = Span(first, max((end - _EPOCH) // step - first + 1, 0), step // _SECOND)
        deadline = time.monotonic() + self._longest_seconds
        peak = self._count(query, whole, most_series) if whole.count >= _COUNTED else None
        joined = _Joined(whole, most_series, np.dtype(np.float64 if exact else np.float32), peak)
        self._read(query, whole, joined, self._length(most_series if peak is None else max(peak, 1)), deadline)
        return joined.matrix(step)

    def _read(self, query: str, whole: Span, joined: "_Joined", length: int, deadline: float) -> None:
        """Piece by piece, of at most `length` steps; pieces that are too much are halved."""
        at = 0
        while at < whole.count:
            if time.monotonic() > deadline:
                told = f"took more than {self._longest_seconds:g} s for {at:,} of {whole.count:,} steps"
                raise Transient(f"Prometheus at {self.address} {told}")
            span = Span(whole.first + at, min(length, whole.count - at), whole.step_seconds)
            try:
                answer = self._reader(query, span).read(query, span)
            except (Permanent, Transient) as error:
                if span.count == 1 or not is_too_much(error):
                    raise
                length = span.count // 2
            else:
                joined.add(answer, at)
                del answer  # or it would stay while the next one comes
                at += span.count

    def _reader(self, query: str, span: Span) -> RangeReader:
        if span.count > self._client_steps or len(query.encode()) > _LONG_QUERY:
            return self._thin
        with self._making:
            if self._client is None:  # importing it takes time that who reads weeks only need not spend
                from controlplane.adapters.prometheus_matrix_client import ClientReader

                self._client = ClientReader(self._plain_url, **self._terms)
            return self._client

    def _length(self, series: int) -> int:
        """Steps per request."""
        cells = min(CELLS_PER_REQUEST, self._limit_bytes // 2 // _BYTES_PER_CELL)
        return min(max(cells // series, 1), POINTS_PER_REQUEST)

    def _count(self, query: str, span: Span, most_series: int) -> int | None:
        """The most series at any of a dozen moments of the span; None when they cannot be counted (a scalar)."""
        seconds = -(-(span.count - 1) // (_COUNTED - 1)) * span.step_seconds
        begin, end = -(-span.start_seconds // seconds), span.end_seconds // seconds
        moments = Span(begin, end - begin + 1, seconds)
        try:
            answer = self._thin.read(f"count(\n{query}\n)", moments)
        except Permanent:  # it is refused in its own words, if it is to be refused
            return None
        counts = [batch.values[np.isfinite(batch.values)] for batch in answer.batches]
        peak = int(max((each.max() for each in counts if each.size), default=0))
        if peak > most_series:
            raise Permanent(
                f"the query has {peak:,} series, more than the {most_series:,} that may be read: "
                "sum them up by fewer labels, select fewer, or allow more"
            )
        return peak


class _Joined:
    """Answers on one grid. Rows are in the order in which series came, and sorted in the end if need be."""

    def __init__(self, span: Span, most_series: int, kind: "np.dtype[Any]", expected: int | None) -> None:
        self._span = span
        self._most_series = most_series
        self._rows: dict[Key, int] = {}
        self._values: Values = np.empty((max(expected or 0, _LEAST_ROWS), span.count), dtype=kind)
        self._warnings: dict[str, None] = {}

    def add(self, answer: RangeAnswer, offset: int) -> None:
        """Put an answer's points into its columns, from `offset` on."""
        seen: set[int] = set()
        for batch in answer.batches:
            numbers = [
                self._row(labels) if count else 0 for labels, count in zip(batch.labels, batch.counts, strict=True)
            ]
            there = {number for number, count in zip(numbers, batch.counts, strict=True) if count}
            twice = len(there) < np.count_nonzero(batch.counts) or not seen.isdisjoint(there)
            seen |= there
            with np.errstate(over="ignore"):  # beyond float32 is infinite
                values = batch.values.astype(self._values.dtype)
            told = np.isfinite(values)
            rows, columns, values = np.repeat(numbers, batch.counts)[told], batch.columns[told] + offset, values[told]
            old = self._values[rows, columns] if twice else None
            self._values[rows, columns] = values
            if old is not None:
                contrary = (np.isfinite(old) & (old != values)) | (self._values[rows, columns] != values)
                if contrary.any():
                    raise Permanent(_alike(list(self._rows)[int(rows[np.argmax(contrary)])]))
        self._warnings |= dict.fromkeys(answer.warnings)

    def matrix(self, step: timedelta) -> SampleMatrix:
        keys = sorted(self._rows)
        values = self._values[: len(keys)]
        order = [self._rows[key] for key in keys]
        if order != list(range(len(order))):
            values = values[order]
        return SampleMatrix(tuple(dict(key) for key in keys), self._span.first, step, values, tuple(self._warnings))

    def _row(self, labels: Mapping[str, str]) -> int:
        key = tuple(
            sorted((name, value.replace(_NUL, _REPLACED)) for name, value in labels.items() if value and name != _NAME)
        )
        number = self._rows.get(key)
        if number is None:
            number = len(self._rows)
            if number >= self._most_series:
                raise Permanent(
                    f"the query has more than the {self._most_series:,} series that may be read in that time, counting "
                    "those that came and went: sum them up by fewer labels, select fewer, or allow more"
                )
            self._rows[key] = number
            if number >= len(self._values):
                self._grow()
            self._values[number] = np.nan
        return number

    def _grow(self) -> None:
        old = self._values
        size = min(max(len(old) * 3 // 2, _LEAST_ROWS), self._most_series)
        self._values = np.empty((size, self._span.count), dtype=old.dtype)
        self._values[: len(old)] = old


def _alike(key: Key) -> str:
    told = ", ".join(f'{name}="{value}"' for name, value in key)
    return (
        f"the query has several series {{{told}}} that differ in their metric's name only: "
        "sum them up, or put the name into a label with label_replace"
    )


def _apart(url: str) -> tuple[str, str]:
    """A URL without its `user:password@`, and those."""
    try:
        address = httpx.URL(url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise Permanent(f"Prometheus: not a URL: {error}") from error
    found = f"{address.username}:{address.password}" if address.username or address.password else ""
    return str(address.copy_with(userinfo=b"")), found
