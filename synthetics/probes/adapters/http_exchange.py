"""One request and its response over a connection that stands: what both versions of HTTP have in common."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from synthetics.probes.adapters.failures import ProbeFailed
from synthetics.probes.adapters.http_bodies import Body
from synthetics.probes.adapters.streams import CHUNK, Stream

MOST_HEADER_BYTES: Final = 65_536
MOST_INTERIM: Final = 8  # responses before the response: 100, 103
_MOST_PIECES: Final = 50_000  # chunks, frames: each costs time, however small
_PIECES_AT_ONCE: Final = 200
_SLACK: Final = 1024 * 1024
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. Names of headers are in lower case; `host` comes first and is not among them."""

    method: str
    scheme: str
    host: str
    path: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The response without its body. `has_ended`: it is known already that none follows."""

    status: int
    headers: Headers
    version: float
    has_ended: bool = False

    def header(self, name: str) -> str:
        """The first one of a name in lower case; empty without."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks; it has no announced length then."""
        return bool(self.header("transfer-encoding"))

    @property
    def content_length(self) -> int:
        """As Go tells it: −1 when it is not said, or said beside chunks."""
        if self.is_chunked:
            return -1
        written = self.header("content-length")
        if written.isascii() and written.isdigit():
            return int(written[:18])
        return 0 if self.has_ended or self.status in (204, 304) else -1


@dataclass(frozen=True, slots=True)
class Talk:
    """What an exchange works with: it calls `begun` when the answer begins, and `took` with the head.

    `took` gives the body to fill, or None when the rest is not wanted.
    """

    stream: Stream
    most_bytes: int
    begun: Callable[[], None]
    took: Callable[[Head], Body | None]


class Wire:
    """Reads with the target's whole traffic bounded, framing included."""

    def __init__(self, talk: Talk) -> None:
        self._stream = talk.stream
        self._left = 2 * talk.most_bytes + _SLACK
        self._pieces = 0

    async def read(self, most: int = CHUNK) -> bytes:
        """The next bytes; empty at the end."""
        data = await self._stream.read(most)
        self._left -= len(data)
        if self._left < 0:
            raise ProbeFailed("size", "the target sends more around the body than the body may be")
        return data

    async def pause(self) -> None:
        """Called for each chunk or frame: other tries get their turn, and there is an end to very small ones."""
        self._pieces += 1
        if self._pieces > _MOST_PIECES:
            raise ProbeFailed("size", f"the body comes in more than {_MOST_PIECES:,} pieces")
        if self._pieces % _PIECES_AT_ONCE == 0:
            await asyncio.sleep(0)


def not_understood(why: object) -> ProbeFailed:
    """What came is not HTTP."""
    return ProbeFailed("protocol", f"the answer is not HTTP as it should be: {why}")
