"""Bodies: counted, unpacked where their header says so, and never larger than they may be."""

import zlib
from typing import Final

from synthetics.probes.adapters.failures import ProbeFailed

_STEP: Final = 65_536  # unpacked at a time
_GZIP: Final = zlib.MAX_WBITS | 32  # gzip or zlib, by what stands at the beginning
_PACKED: Final = ("gzip", "x-gzip", "deflate")


class Body:
    """Takes a body in pieces; `content` is kept only when it is wanted. Raises ProbeFailed: `size`, `protocol`."""

    def __init__(self, most: int, *, is_wanted: bool, encoding: str = "") -> None:
        self.length = 0  # bytes after unpacking
        self._most = most
        self._pieces: list[bytes] | None = [] if is_wanted else None
        self._packing = encoding.strip().lower()
        self._unpacker = zlib.decompressobj(_GZIP) if self._packing in _PACKED else None
        self._has_begun = False

    @property
    def content(self) -> bytes:
        """What was kept."""
        return b"".join(self._pieces or ())

    def announce(self, length: int) -> None:
        """What the header says, before anything is read."""
        if length > self._most:
            raise self._too_large(f"announces {length:,} bytes")

    def feed(self, piece: bytes) -> None:
        """The next bytes from the wire."""
        if self._unpacker is None:
            self._keep(piece)
            return
        try:
            self._unpack(piece)
        except zlib.error:
            raise ProbeFailed("protocol", f"the body is not the {self._packing} that its header says") from None

    def _unpack(self, piece: bytes) -> None:
        unpacker = self._unpacker
        assert unpacker is not None
        rest = piece
        while rest:
            try:
                unpacked = unpacker.decompress(rest, _STEP)
            except zlib.error:
                if self._packing != "deflate" or self._has_begun:
                    raise
                unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # some servers send it without zlib's header
                unpacked = unpacker.decompress(rest, _STEP)
            self._has_begun = True
            self._keep(unpacked)
            rest = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data:  # gzip may have several members
                rest, unpacker = unpacker.unused_data, zlib.decompressobj(_GZIP)
        self._unpacker = unpacker

    def _keep(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length > self._most:
            raise self._too_large("is larger")
        if self._pieces is not None and piece:
            self._pieces.append(piece)

    def _too_large(self, found: str) -> ProbeFailed:
        return ProbeFailed("size", f"the body {found}; at most {self._most:,} bytes are read")
