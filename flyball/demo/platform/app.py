"""IntelGraph's own application: a request in, an answer out, with the faults and the flags that are in force."""

import itertools
import json
from collections.abc import Callable, Collection
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from flyball.demo.platform.app_api import AppAPI
from flyball.demo.platform.app_cache import AnswerCache, is_heavy_read
from flyball.demo.platform.app_http import HTML, AppRequest, AppResponse, as_json
from flyball.demo.platform.app_pages import AppPages
from flyball.demo.platform.app_reduced import banner, refusal
from flyball.demo.platform.app_state import AppState
from flyball.demo.platform.platform_flags import ReadFlags, full_service
from flyball.demo.platform.trouble import Trouble, trouble

HOST: Final = "app.intelgraph.example"
_OURS: Final = (HOST, "localhost", "127.0.0.1")


class IntelGraphApp:
    """The same application behind every ingress; `broken` names the faults that are in force. Safe in threads."""

    def __init__(self, state: AppState, broken: Callable[[], Collection[str]], flags: ReadFlags = full_service) -> None:
        self._pages = AppPages(state)
        self._api = AppAPI(state)
        self._broken = broken
        self._flags = flags
        self._numbers = itertools.count()
        self._refusable = itertools.count()
        self._cache = AnswerCache()

    def trouble(self, path: str) -> Trouble:
        """What the next request meets."""
        return trouble(self._broken(), path, next(self._numbers))

    def answer(self, request: AppRequest, met: Trouble) -> AppResponse:
        """The answer to a request that met this trouble, and has waited for it already."""
        if request.headers.get("host", "").partition(":")[0].lower() not in _OURS:
            return as_json(HTTPStatus.MISDIRECTED_REQUEST, {"error": "no application has this host name"})
        is_api = request.path.startswith("/api/") or request.path == "/healthz"
        if met.status is not None:
            return _failed(met.status, is_api=is_api)
        reduced = self._flags()
        request = replace(request, reduced=reduced)
        refused = refusal(reduced, request.path, next(self._refusable))
        if refused is not None:
            return refused
        ask = self._api.answer if is_api else self._pages.answer
        if reduced.heavy_reads_from_cache and is_heavy_read(request):
            return _with_banner(self._cache.answer(request, ask), banner(reduced))
        return _with_banner(ask(request), banner(reduced))


def _with_banner(response: AppResponse, said: str) -> AppResponse:
    """Pages say on top what is reduced."""
    if not said or response.content_type != HTML:
        return response
    return replace(response, body=response.body.replace(b"<main>", said.encode() + b"<main>", 1))


def _failed(status: HTTPStatus, *, is_api: bool) -> AppResponse:
    if is_api:
        return AppResponse(status, json.dumps({"error": status.phrase}).encode(), "application/json")
    text = f"<!doctype html><html lang=en><title>{status.phrase}</title><h1>{status.value} {status.phrase}</h1></html>"
    return AppResponse(status, text.encode())
