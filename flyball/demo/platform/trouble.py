"""How the platform's faults show to those who use its pages: errors, and answers that take too long."""

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

_GOLDEN: Final = 0.618_033_988_749_895  # its multiples spread evenly: every stretch of requests has its share of errors
_GRAPH: Final = ("/graph", "/entities", "/api/graphql")
_NEO4J_SECONDS: Final = 1.2
_SLOW_SECONDS: Final = 2.5
_TIMED_OUT: Final = 0.4


@dataclass(frozen=True, slots=True)
class Trouble:
    """What becomes of one request: it waits so long, then fails with `status` unless that is None."""

    delay_seconds: float = 0.0
    status: HTTPStatus | None = None


def trouble(broken: Collection[str], path: str, number: int) -> Trouble:
    """The faults in force, as the `number`-th request sees them."""
    if "outage" in broken:
        return Trouble(status=HTTPStatus.SERVICE_UNAVAILABLE)
    luck = number * _GOLDEN % 1
    delay = _SLOW_SECONDS if "slow" in broken else 0.0
    if "errors" in broken and luck < 0.5:
        return Trouble(delay, HTTPStatus.INTERNAL_SERVER_ERROR)
    if "latency" in broken and path.startswith(_GRAPH):
        late = delay + _NEO4J_SECONDS
        return Trouble(late, HTTPStatus.GATEWAY_TIMEOUT if luck < _TIMED_OUT else None)
    return Trouble(delay)
