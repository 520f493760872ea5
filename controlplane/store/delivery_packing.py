"""Bodies of delivery events as they are stored: a fifth of their length.

They are short and alike, so that they are packed with a dictionary of what CDEvents say, in a window of 4 KiB: half of
the length and a quarter of the time of zlib as it comes (1,087 bytes → 222 instead of 410, 20 µs instead of 80).
"""

import zlib
from typing import Final

_FIRST: Final = b"\x01"  # which dictionary; another one gets another byte, and this one stays for ever
_WINDOW: Final = -12  # 2¹² bytes, without zlib's own head and sum
_LEVEL: Final = 3
_MEMORY: Final = 5
_DICTIONARY: Final = (  # what comes most often stands last
    b'"datacontenttype":"application/json","links":[],"schemaUri":"https://","traceparent":"00-","run":"https://'
    b'github.com/","https://gitlab.com/merge_requests/pull/commit/deployments/releases/tag/v","pkg:oci/@sha256:",'
    b'"pkg:github/","pkg:generic/","labels":["hotfix"],"branch":"main","reverts":"","remedies":"","services":["'
    b'undoes":"","outcome":"succeeded","failed","version":"v1.","repository":"revision":"firstCommitAt":"2026-",'
    b'"openedAt":"2026-","approvedAt":"2026-","title":"","url":"https://","customData":{"flyball":{"content":{'
    b'"change":{"id":"","repository":{"id":"github.com/","source":"environment":{"id":"production"},"artifactId":'
    b'"pkg:"service":{"id":"subject":{"id":"","source":"","type":"incident","artifact","service","change","data":{'
    b'"context":{"specversion":"0.5.1","id":"","source":"https://","type":"dev.cdevents.incident.detected.0.3.0",'
    b'"dev.cdevents.incident.resolved.0.3.0","dev.cdevents.artifact.published.0.3.0","dev.cdevents.service.deployed'
    b'.0.3.0","dev.cdevents.change.merged.0.3.0","timestamp":"2026-01-01T00:00:00Z"},{"specversion":"1.0","id":"",'
    b'"source":"https://","type":"dev.cdevents.","time":"2026-01-01T00:00:00+00:00",'
)


def pack(body: bytes) -> bytes:
    """A body as it is stored."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, _DICTIONARY)
    return _FIRST + packer.compress(body) + packer.flush()


def unpack(stored: bytes) -> bytes:
    """A body as it came. Raises `ValueError` for what `pack` did not make."""
    if stored[:1] != _FIRST:
        raise ValueError("a stored event is packed in a way that this Flyball does not know")
    unpacker = zlib.decompressobj(_WINDOW, _DICTIONARY)
    try:
        body = unpacker.decompress(stored[1:]) + unpacker.flush()
    except zlib.error as error:
        raise ValueError(f"a stored event is damaged: {error}") from error
    if not unpacker.eof:
        raise ValueError("a stored event is damaged: its end is missing")
    return body
