"""One answer to a range query: rows as arrays, and what an answer that is none means."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from controlplane.ports import Permanent, Transient

_PASSING_ERRORS: Final = ("timeout", "canceled", "unavailable")
_PASSING_STATUS: Final = (408, 429)
_SERVER_ERROR: Final = 500
_TOO_MUCH: Final = (
    "too many samples",  # Prometheus' --query.max-samples
    "exceeded maximum resolution",  # more than its 11,000 points
    "too many points",  # VictoriaMetrics' -search.maxPointsPerTimeseries
    "cannot select more than",  # … -search.maxSamplesPerQuery
    "err-mimir-max",
    "time range exceeds the limit",  # Mimir, Cortex, Thanos
    "answers with more than",  # our own bound of bytes
)
_TOO_SLOW: Final = ("query timed out", "gateway time-out", "gateway timeout")
SERVER_PATIENCE: Final = 0.9
"""The share of our own patience that Prometheus is told: it gives up first, and says that the query is too slow.
Who says nothing at all is down, and is not asked for less.
"""
_BEGIN: Final = b'"values":[['  # a label's value cannot hold it: its quotes are escaped
_END: Final = b"]]"
_BATCH_POINTS: Final = 50_000  # are read at once: 5 MB meanwhile

# What stands in an answer is untyped JSON; every shape that we do not expect becomes `Transient` in `understood`.
_JSON: TypeAlias = Any
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Span:
    """Steps `first` … `first + count − 1` of a grid of whole multiples of a step since the epoch."""

    first: int
    count: int
    step_seconds: int

    @property
    def start_seconds(self) -> int:
        """Since the epoch."""
        return self.first * self.step_seconds

    @property
    def end_seconds(self) -> int:
        """Of the last step."""
        return (self.first + self.count - 1) * self.step_seconds


@dataclass(frozen=True, slots=True)
class Batch:
    """Some series of an answer: labels as they came, and one after another the points of each, `counts` of them.

    `columns` are steps of the span, in order within a series.
    """

    labels: tuple[Mapping[str, str], ...]
    counts: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RangeAnswer:
    """`batches` may be read once; they raise `Transient` and `Permanent` like the reader."""

    batches: Iterable[Batch]
    warnings: tuple[str, ...] = ()


class RangeReader(Protocol):
    """Asks one range query in one request. Errors: `Transient` and `Permanent`."""

    def read(self, query: str, span: Span) -> RangeAnswer:
        """The series of the query in that span."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def failure(address: str, status: int, body: bytes) -> Transient | Permanent:
    """What a refusal means, in Prometheus' own words; the body of a proxy is quoted."""
    kind, reason = _error_of(body)
    words = reason or " ".join(body[:1200].decode(errors="replace").split())[:300] or "no reason given"
    message = f"Prometheus at {address} answered {status}: {words}"
    passes = status in _PASSING_STATUS or status >= _SERVER_ERROR or kind in _PASSING_ERRORS
    return Transient(message) if passes else Permanent(message)


def is_too_much(error: Exception) -> bool:
    """Whether it may succeed for a shorter time: bounds of samples, points or bytes, and of time."""
    words = str(error).lower()
    return any(part in words for part in (_TOO_MUCH if isinstance(error, Permanent) else _TOO_SLOW))


def understood(address: str, reader: Callable[[], _Read]) -> _Read:
    """What `reader` makes of an answer; it is `Transient` when that has another shape."""
    try:
        return reader()
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Transient(f"Prometheus at {address} answered something that is not its JSON: {error!r}") from error


def parse(address: str, body: bytes, span: Span) -> RangeAnswer:
    """A successful answer. Numbers are cut out before the rest is parsed as JSON, and read when batches are asked for.

    A point as Python objects takes 170 bytes and four times the time (docs/decisions/0018).
    """
    skeleton, ranges = _cut(body)
    answer = understood(address, lambda: _successful(skeleton))
    rows = understood(address, lambda: matrix_rows(answer["data"]))
    points = _Points(body, ranges)
    batches = _batches(address, rows, span, points.size, points.numbers)
    return RangeAnswer(batches, understood(address, lambda: warnings_of(answer)))


@dataclass(frozen=True, slots=True)
class _Points:
    """Lists of points that were cut out of a body, by their number; lists that were left in it stand for themselves."""

    body: bytes
    ranges: list[tuple[int, int]]

    def size(self, values: _JSON) -> int:
        if isinstance(values, int):
            begin, end = self.ranges[values]
            return self.body.count(b"[", begin, end) - 1
        return len(values)

    def numbers(self, many: list[_JSON]) -> NDArray[np.float64]:
        if all(isinstance(values, int) for values in many):
            return _flat(b",".join(self.body[slice(*self.ranges[values])] for values in many))
        return np.concatenate([self.numbers([each]) if isinstance(each, int) else flattened([each]) for each in many])


def batches_of(address: str, rows: list[_JSON], span: Span) -> Iterator[Batch]:
    """Series of JSON as arrays. Native histograms are `Permanent`: left out, they would be a gap."""
    return _batches(address, rows, span, len, flattened)


def _batches(
    address: str,
    rows: list[_JSON],
    span: Span,
    size: Callable[[_JSON], int],
    numbers: Callable[[list[_JSON]], NDArray[np.float64]],
) -> Iterator[Batch]:
    if understood(address, lambda: any("histogram" in row or "histograms" in row for row in rows)):
        raise Permanent("the query yields native histograms: take histogram_count, _sum, _fraction or _quantile of it")
    begin = 0
    while begin < len(rows):
        end, counts = understood(address, lambda begin=begin: _some(rows, begin, size))  # type: ignore[misc]
        part = rows[begin:end]
        yield understood(
            address,
            lambda part=part, counts=counts: _located(  # type: ignore[misc]
                [row["metric"] for row in part], counts, numbers([row["values"] for row in part]), span
            ),
        )
        begin = end


def _some(rows: list[_JSON], begin: int, size: Callable[[_JSON], int]) -> tuple[int, NDArray[np.int64]]:
    """Rows from `begin` on with a batch's points: where they end, and the points of each."""
    counts: list[int] = []
    points = 0
    while begin + len(counts) < len(rows) and points < _BATCH_POINTS:
        counts.append(size(rows[begin + len(counts)]["values"]))
        points += counts[-1]
    return begin + len(counts), np.array(counts, dtype=np.int64)


def matrix_rows(data: _JSON) -> list[_JSON]:
    """The series of an answer's `data`."""
    rows = data["result"]
    if data["resultType"] != "matrix" or not isinstance(rows, list):
        raise ValueError(f"the result is a {data['resultType']}")
    return rows


def warnings_of(answer: _JSON) -> tuple[str, ...]:
    """What it says of itself: Prometheus' and Thanos' `warnings`, VictoriaMetrics' `isPartial`."""
    partial = ("the answer is partial: some of the storage did not take part",) if answer.get("isPartial") else ()
    return (*(str(each)[:300] for each in (answer.get("warnings") or ())[:20]), *partial)


def flattened(many: list[_JSON]) -> NDArray[np.float64]:
    """Lists of `[time, "value"]` as time, value, time, value …"""
    return np.array(
        [number for values in many for at, value in values for number in (at, float(value))], dtype=np.float64
    )


def _successful(skeleton: bytes) -> _JSON:
    answer = orjson.loads(skeleton)
    if answer["status"] != "success":
        raise ValueError("status is not success")
    return answer


def _cut(body: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The answer with a number in place of each list of points, and where those lists are."""
    parts: list[bytes] = []
    ranges: list[tuple[int, int]] = []
    at = 0
    while (found := body.find(_BEGIN, at)) >= 0:
        begin = found + len(_BEGIN) - 2
        end = body.find(_END, begin)
        if end < 0:
            break
        end += len(_END)
        parts += (body[at:begin], b"%d" % len(ranges))
        ranges.append((begin, end))
        at = end
    parts.append(body[at:])
    return b"".join(parts), ranges


def _flat(points: bytes) -> NDArray[np.float64]:
    text = points.translate(None, b'[]"')
    if b"N" in text or b"I" in text:
        text = text.replace(b"NaN", b"null").replace(b"+Inf", b"null").replace(b"-Inf", b"null")
    return np.array(orjson.loads(b"[" + text + b"]"), dtype=np.float64)


def _located(labels: list[_JSON], counts: NDArray[np.int64], numbers: NDArray[np.float64], span: Span) -> Batch:
    if not all(isinstance(each, str) for one in labels for pair in one.items() for each in pair):
        raise ValueError("labels are not texts")
    if numbers.size != 2 * counts.sum():
        raise ValueError("a point is not a time and a value")
    times = numbers[0::2]
    columns = np.rint(times / span.step_seconds).astype(np.int64)
    off_grid = np.abs(times - columns * span.step_seconds) > 0.0005
    columns -= span.first
    steps = np.diff(columns)
    begins = np.cumsum(counts)[:-1]
    steps[begins[(begins > 0) & (begins < columns.size)] - 1] = 1  # from one series to the next
    if off_grid.any() or (columns < 0).any() or (columns >= span.count).any() or (steps <= 0).any():
        raise ValueError("points are not on the grid that was asked for")
    return Batch(tuple(labels), counts, columns, numbers[1::2])


def _error_of(body: bytes) -> tuple[str, str]:
    """`errorType` and `error`, both empty when the body is not Prometheus' JSON."""
    try:
        answer = json.loads(body)
        return str(answer["errorType"]), str(answer["error"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return "", ""
