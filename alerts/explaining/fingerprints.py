"""The fingerprint that Prometheus and Alertmanager give to a set of labels.

FNV-1a of 64 bits over the sorted names and values, each followed by the byte 255: `LabelSet.Fingerprint` of
prometheus/common (`model/labelset.go`, `model/fnv.go`).
"""

from collections.abc import Mapping
from typing import Final

_OFFSET: Final = 14695981039346656037
_PRIME: Final = 1099511628211
_MASK: Final = 2**64 - 1
_SEPARATOR: Final = b"\xff"


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """As Alertmanager writes it: 16 hexadecimal digits."""
    total = _OFFSET
    for name in sorted(labels):
        for byte in name.encode() + _SEPARATOR + labels[name].encode() + _SEPARATOR:
            total = ((total ^ byte) * _PRIME) & _MASK
    return f"{total:016x}"
