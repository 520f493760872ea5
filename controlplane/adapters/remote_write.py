"""Prometheus remote write 1.0 as a client: for the past of series, which scraping cannot bring.

The protobuf is written by hand: a month has millions of samples, and numpy lays out all samples of a series at once.
Message shapes: prometheus/prompb `WriteRequest{timeseries=1}`, `TimeSeries{labels=1, samples=2}`,
`Label{name=1, value=2}`, `Sample{double value=1, int64 timestamp=2}`; the body is one snappy block.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self

import httpx
import numpy as np
import snappy
from numpy.typing import NDArray

from controlplane.model.series import Series
from controlplane.ports import Permanent, Transient

STALE: Final = np.frombuffer(np.uint64(0x7FF0000000000002).tobytes(), dtype=np.float64)[0]
"""The NaN by which Prometheus marks that a series has ended (model/value in prometheus/prometheus)."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_SAMPLE_BYTES: Final = 18  # tag, length, tag, 8 bytes of double, tag, 6 bytes of varint
_SIX_BYTE_VARINTS: Final = range(1 << 35, 1 << 42)  # milliseconds from 1971 to 2109
_SAMPLES_PER_REQUEST: Final = 200_000
_HEADERS: Final = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


@dataclass(frozen=True, slots=True)
class ColumnarSeries:
    """A series as two arrays of the same length, in time order: milliseconds since the epoch, and values."""

    labels: bytes
    timestamps_ms: NDArray[np.int64]
    values: NDArray[np.float64]


def encoded_labels(labels: Mapping[str, str]) -> bytes:
    """The labels of a series, sorted by name as the protocol demands; labels without a value are left out."""
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode()))
        for name, value in sorted(labels.items())
        if value
    )


def encode(series: Iterable[ColumnarSeries]) -> bytes:
    """A `WriteRequest`, not yet compressed. Raises ValueError for times outside 1971–2109."""
    return b"".join(
        _field(1, one.labels + _samples(one.timestamps_ms, one.values)) for one in series if one.values.size
    )


def columnar(series: Series) -> ColumnarSeries:
    """Points as arrays. Times are cut to the millisecond like a query's: a moment's sample is seen at that moment."""
    times = np.array([(at - _EPOCH) // _MILLISECOND for at, _ in series.points], dtype=np.int64)
    values = np.array([value for _, value in series.points], dtype=np.float64)
    return ColumnarSeries(encoded_labels(series.labels), times, values)


class RemoteWriter:
    """Writes to the remote write receiver at `url` (the server's own address; the path is added). Use it with `with`.

    Errors: `Transient` for network, 5xx, 429 and timeouts; `Permanent` for a refusal such as samples too old.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 60) -> None:
        self._url: Final = url.rstrip("/") + "/api/v1/write"
        self._shown: Final = str(httpx.URL(self._url).copy_with(userinfo=b""))  # no password in messages
        self._client: Final = httpx.Client(timeout=timeout_seconds, headers=_HEADERS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def write(self, series: Sequence[Series]) -> None:
        """Write series of any length, in as many requests as it takes."""
        batch: list[ColumnarSeries] = []
        size = 0
        for one in map(columnar, series):
            batch.append(one)
            size += one.values.size
            if size >= _SAMPLES_PER_REQUEST:
                self.write_columns(batch)
                batch, size = [], 0
        if batch:
            self.write_columns(batch)

    def write_columns(self, series: Iterable[ColumnarSeries]) -> None:
        """Write all of them in one request."""
        self.send(snappy.compress(encode(series)))

    def send(self, body: bytes) -> None:
        """Post a compressed `WriteRequest`."""
        try:
            response = self._client.post(self._url, content=body)
        except httpx.HTTPError as error:
            raise Transient(f"remote write to {self._shown}: {error}") from error
        if response.is_success:
            return
        reason = f"remote write to {self._shown}: {response.status_code} {response.text.strip()[:300]}"
        raise Transient(reason) if response.status_code >= 500 or response.status_code == 429 else Permanent(reason)


def _samples(timestamps_ms: NDArray[np.int64], values: NDArray[np.float64]) -> bytes:
    """All `samples` fields of a series: every one has the same length, so they are rows of one array."""
    if int(timestamps_ms[0]) not in _SIX_BYTE_VARINTS or int(timestamps_ms[-1]) not in _SIX_BYTE_VARINTS:
        raise ValueError("timestamps must be in order and lie between 1971 and 2109")
    rows = np.empty((values.size, _SAMPLE_BYTES), dtype=np.uint8)
    rows[:, 0] = 2 << 3 | 2
    rows[:, 1] = _SAMPLE_BYTES - 2
    rows[:, 2] = 1 << 3 | 1
    rows[:, 3:11] = np.ascontiguousarray(values, dtype="<f8").view(np.uint8).reshape(-1, 8)
    rows[:, 11] = 2 << 3
    for byte in range(6):
        rows[:, 12 + byte] = (timestamps_ms >> (7 * byte)) & 0x7F | (0x80 if byte < 5 else 0)
    return rows.tobytes()


def _field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
