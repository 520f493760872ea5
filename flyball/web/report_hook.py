"""`POST /hooks/probes`: reports of probers, verified, stored, and answered 2xx only after the commit."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from controlplane import check_names
from controlplane.ports import Clock, Permanent, Store, Transient
from flyball.secret import Secret
from flyball.telemetry import Metrics, Tracing
from flyball.web.bodies import drain, json_error
from flyball.web.receiving import HookBounds, Receiving
from synthetics.regions import limits, signing
from synthetics.regions.intake import take
from synthetics.regions.report import Refusal, RefusalKind, Report, parse, unpack

PATH: Final = signing.PATH
HOOK: Final = "probes"
ANSWER_SECONDS: Final = 9.0  # a prober waits for 10
BODY_SECONDS: Final = 10.0
MAX_IN_FLIGHT: Final = 16
_COUNTED_FROM_THE_START: Final = ("200", "400", "401", "403", "413", "429", "503")
_OUTCOMES: Final = (
    "taken", "repeated", "forged", "replayed", "wrong_region", "malformed", "oversized", "busy", "unavailable",
)  # fmt: skip
_NOBODY: Final = ""  # the region of who cannot say whose report it is: names that anybody may invent are not counted
_CODES: Final = {RefusalKind.MALFORMED: 400, RefusalKind.OVERSIZED: 413, RefusalKind.WRONG_REGION: 403}
_UNREAD: Final = {413: "oversized", 408: "malformed", 503: "unavailable"}  # answered before the body was looked at
_OK: Final = 200
_RETRY_SECONDS: Final = "2"
log = logging.getLogger(__name__)


class ReportHook:
    """The endpoint. At most `max_in_flight` reports are worked on; one more is answered 429.

    `tokens` are regions and their secrets; `registry` gets `flyball_prober_reports_total`. Raises `ValueError` for a
    token that is too short.
    """

    def __init__(
        self,
        store: Store,
        *,
        tokens: Sequence[tuple[str, Secret]],
        clock: Clock,
        metrics: Metrics,
        tracing: Tracing,
        registry: CollectorRegistry,
        max_in_flight: int = MAX_IN_FLIGHT,
    ) -> None:
        self._store = store
        self._keys = signing.Keys([(region, token.reveal()) for region, token in tokens])
        self._clock = clock
        self._reports = Counter(
            check_names.PROBER_REPORTS, "Reports of probers.", [check_names.REGION, "outcome"], registry=registry
        )
        for region in (*self._keys.regions, _NOBODY):
            for outcome in _OUTCOMES:
                self._reports.labels(region, outcome)
        bounds = HookBounds(
            HOOK, _COUNTED_FROM_THE_START, max_in_flight, ANSWER_SECONDS, limits.MAX_PACKED_BYTES, BODY_SECONDS
        )
        self._receiving = Receiving(bounds, metrics=metrics, tracing=tracing)

    async def answer(self, request: Request) -> Response:
        """Answer one report, and count the answer."""
        return await self._receiving.counted(request, self._answer)

    async def _answer(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        signed = signing.Signed.of(headers)
        region = signed.region if signed.region in self._keys.regions else _NOBODY
        if not self._keys.regions:
            await drain(request)
            return json_error(503, "no prober may report: set FLYBALL_PROBER_TOKENS or FLYBALL_PROBER_TOKENS_FILE")
        outcome, response = self._refused(headers, region) or await self._received(request, headers, signed)
        if response.status_code != _OK:
            await drain(request)
            fields = {"region": region, "outcome": outcome, "code": response.status_code}
            log.warning("probes.report_refused", extra=fields)
        self._reports.labels(region, outcome).inc()
        return response

    def _refused(self, headers: dict[str, str], region: str) -> "_Answer | None":
        """What can be said before the body is read."""
        if headers.get("content-encoding", "identity").lower() not in ("identity", "gzip"):
            return "malformed", json_error(415, "the body is gzip, or not packed", field="content-encoding")
        if region == _NOBODY:
            return "forged", _forged()
        if self._receiving.is_full:
            return "busy", _again(429, "too many reports at once; send it again")
        return None

    async def _received(self, request: Request, headers: dict[str, str], signed: signing.Signed) -> "_Answer":
        is_packed = headers.get("content-encoding", "identity").lower() == "gzip"
        known: list[str] = []

        def take_body(body: bytes) -> Response:
            outcome, response = self._take(body, is_packed, signed)
            known.append(outcome)
            return response

        slow = _again(503, "the database is slow; send it again")
        response = await self._receiving.stored(request, take_body, slow)
        if response is not slow and known:
            return known[0], response
        return _UNREAD.get(response.status_code, "malformed"), response

    def _take(self, body: bytes, is_packed: bool, signed: signing.Signed) -> "_Answer":
        now = self._clock.now()
        genuine = self._keys.verify(signed, body, now)
        if genuine is signing.Genuineness.FORGED:
            return "forged", _forged()
        if genuine is signing.Genuineness.REPLAYED:
            minutes = int(signing.WINDOW.total_seconds() // 60)
            message = f"signed more than {minutes} minutes from now: it was replayed, or a clock is wrong"
            return "replayed", json_error(401, message, field=signing.TIMESTAMP)
        report = _read(body, is_packed, signed, now)
        if isinstance(report, Refusal):
            return report.kind.value, json_error(_CODES[report.kind], report.reason, field=report.field)
        try:
            taken = take(self._store, report, now)
        except (Transient, Permanent) as error:  # a database that refuses today may be mended: nothing may be lost
            log.warning("probes.report_not_stored", extra={"error": str(error)})
            return "unavailable", _again(503, "the report could not be stored; send it again")
        outcome = "repeated" if taken.repeated else "taken"
        return outcome, JSONResponse({"taken": taken.new, "repeated": taken.repeated})


_Answer = tuple[str, Response]  # an outcome, and what is answered


def _read(body: bytes, is_packed: bool, signed: signing.Signed, now: datetime) -> Report | Refusal:
    unpacked = unpack(body) if is_packed else body
    if isinstance(unpacked, Refusal):
        return unpacked
    report = parse(unpacked, region=signed.region, now=now)
    if isinstance(report, Report) and (report.head.prober, str(report.head.sequence)) != (
        signed.prober,
        signed.sequence,
    ):
        return Refusal(RefusalKind.MALFORMED, "sequence", "prober and sequence are others than in the headers")
    return report


def _forged() -> Response:
    return json_error(401, "the signature is not that of this region", field=signing.SIGNATURE)


def _again(code: int, message: str) -> Response:
    return json_error(code, message, headers={"Retry-After": _RETRY_SECONDS})
