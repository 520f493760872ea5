"""Native histograms for remote write: message shapes as in prometheus/prompb `Histogram` and `BucketSpan`."""

import struct
from collections.abc import Iterable, Mapping

from controlplane.adapters.remote_write import encoded_labels

_SCHEMA = 0  # each bucket is twice as wide as the one before: bounds are powers of two
_SECOND = 1000


def encoded(labels: Mapping[str, str], samples: Iterable[tuple[int, Mapping[int, int]]]) -> bytes:
    """A `TimeSeries`: seconds since 1970, and cumulative counts by bucket; bucket 0 ends at 1, bucket -1 at 0.5."""
    series = encoded_labels(labels) + b"".join(_field(4, _histogram(at, buckets)) for at, buckets in samples)
    return _field(1, series)


def _histogram(at: int, buckets: Mapping[int, int]) -> bytes:
    used = sorted(buckets)
    spans, deltas, before, following = [], [], 0, 0
    for index, bucket in enumerate(used):
        spans.append(_field(11, _number(1, _zigzag(bucket - following)) + _number(2, 1)))
        deltas.append(_varint(_zigzag(buckets[bucket] - before)))
        before, following = buckets[bucket], bucket + 1
        del index
    return b"".join(
        [
            _number(1, sum(buckets.values())),
            bytes([3 << 3 | 1]) + struct.pack("<d", 0.0),
            _number(4, _zigzag(_SCHEMA)),
            *spans,
            _field(12, b"".join(deltas)),
            _number(15, at * _SECOND),
        ]
    )


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
