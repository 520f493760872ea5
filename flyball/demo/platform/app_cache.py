"""Answers of heavy reads, kept for some minutes: what is served while the flag `heavy-reads-from-cache` is on."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from flyball.demo.platform.app_http import AppRequest, AppResponse

LIVES: Final = timedelta(minutes=5)
MOST: Final = 500
_HEAVY_FIELDS: Final = ("search", "neighbours")


@dataclass(frozen=True, slots=True)
class _Kept:
    response: AppResponse
    since: datetime


class AnswerCache:
    """What was answered lately, for each who asked. Bounded; the oldest go. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def answer(self, request: AppRequest, ask: Callable[[AppRequest], AppResponse]) -> AppResponse:
        """What is kept, or what `ask` says now; `X-Cache` and `Age` say which. Only good answers are kept."""
        key = _key(request)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and timedelta(0) <= request.now - kept.since < LIVES:
            return _marked(kept.response, "HIT", request.now - kept.since)
        response = ask(request)
        if response.status is HTTPStatus.OK:
            with self._lock:
                self._kept[key] = _Kept(response, request.now)
                self._kept.move_to_end(key)
                while len(self._kept) > MOST:
                    self._kept.popitem(last=False)
        return _marked(response, "MISS", timedelta(0))


def is_heavy_read(request: AppRequest) -> bool:
    """Whether a request reads much and writes nothing."""
    match request.method, request.path.strip("/").split("/"):
        case "GET", ["graph"]:
            return bool(request.query.get("query"))
        case "GET", ["entities", _, "neighbours"] | ["api", "exports" | "analytics", _]:
            return True
        case "POST", ["api", "graphql"]:
            asked = (request.json() or {}).get("query")
            return isinstance(asked, str) and "createEntity" not in asked and any(it in asked for it in _HEAVY_FIELDS)
    return False


def _key(request: AppRequest) -> bytes:
    """Everything that an answer depends on; two sessions share nothing."""
    parts = (request.method, request.path, repr(sorted(request.query.items())), request.bearer, request.session)
    of_flags = repr(request.reduced)  # an answer under other flags may be another one
    return hashlib.sha256("\0".join((*parts, of_flags)).encode() + b"\0" + request.body).digest()


def _marked(response: AppResponse, said: str, age: timedelta) -> AppResponse:
    told = (("X-Cache", said), ("Age", str(int(age.total_seconds()))))
    return replace(response, headers=(*response.headers, *told))
