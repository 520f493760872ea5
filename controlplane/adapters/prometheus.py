"""Prometheus over its HTTP API: queries, and the engine that evaluates our rules (docs/decisions/0003)."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import orjson

from controlplane.adapters.http_answer import Answer, HTTPConversation
from controlplane.model.series import Sample, Series
from controlplane.ports import LoadedGroup, Permanent, Transient

POINTS_PER_REQUEST: Final = 10_000  # Prometheus refuses more than 11,000 a series (web/api/v1/api.go)
_LIMIT_BYTES: Final = 256 * 1024 * 1024  # 700 series of 10,000 points
_FORBIDDEN: Final = 403
_INTERNAL_ERROR: Final = 500
_PASSING_ERRORS: Final = ("timeout", "canceled", "unavailable")
LIFECYCLE_FLAG: Final = "--web.enable-lifecycle"
_MILLISECOND: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_HEADERS: Final[Mapping[str, str]] = {}

# What stands between `data` and us is untyped JSON; every shape we do not expect becomes `Transient` in `_understood`.
_JSON = Any
_Read = TypeVar("_Read")


class PrometheusBackend:
    """`MetricsBackend` and `RuleEngine` on Prometheus 2.42 or later, or what speaks its query API.

    `url` may have a path (`--web.route-prefix`); `credentials` are `user:password`; `headers` may carry a bearer token
    or a tenant.
    Each request is bounded by `timeout_seconds` (a reload by `reload_timeout_seconds`) and `limit_bytes`.
    Safe to share between threads.

    Errors: `Transient` when it is unreachable, slow, overloaded (429), failing (5xx) or answers with something that is
    not its JSON; `Permanent`, in Prometheus' own words, when it refuses the request. An answer larger than
    `limit_bytes`, a redirect and an unusable URL are `Permanent`.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 30,
        headers: Mapping[str, str] = _NO_HEADERS,
        credentials: str = "",
        limit_bytes: int = _LIMIT_BYTES,
        reload_timeout_seconds: float = 120,
    ) -> None:
        if credentials:
            headers = {**headers, "Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}
        self._server = HTTPConversation(
            "Prometheus", url, timeout_seconds=timeout_seconds, limit_bytes=limit_bytes, headers=headers
        )
        self._timeout_seconds = timeout_seconds
        self._reload_timeout_seconds = reload_timeout_seconds

    @property
    def address(self) -> str:
        """Its URL without credentials, for messages."""
        return self._server.address

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def query(self, expr: str, at: datetime) -> list[Sample]:
        """The instant vector at `at`; a scalar is one sample without labels, a range vector all its points in order.

        Empty when there is no data. NaN and infinities are passed on. A string or native histograms are `Permanent`.
        """
        form = {"query": expr, "time": _in_seconds(_milliseconds(at))} | self._time_limit
        return self._understood(_samples, self._data("/api/v1/query", form))

    def query_range(self, expr: str, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Series at `start`, `start + step`, … up to and including `end`, in the order in which they first appear.

        Times and step are cut to milliseconds. Requests of at most `POINTS_PER_REQUEST` points a series follow each
        other on the same grid, so no point comes twice and none is left out. Raises ValueError for a step under 1 ms.
        """
        step_ms = step // _MILLISECOND
        if step_ms < 1:
            raise ValueError(f"the step is shorter than 1 ms: {step}")
        joined: dict[tuple[tuple[str, str], ...], list[tuple[datetime, float]]] = {}
        for first_ms, last_ms in _chunks(_milliseconds(start), _milliseconds(end), step_ms):
            form = {
                "query": expr,
                "start": _in_seconds(first_ms),
                "end": _in_seconds(last_ms),
                "step": f"{step_ms}ms",  # as seconds, 1.001 would be cut to 1 (a float becomes whole nanoseconds)
            } | self._time_limit
            for labels, points in self._understood(_matrix, self._data("/api/v1/query_range", form)):
                joined.setdefault(tuple(sorted(labels.items())), []).extend(points)
        return [Series(dict(labels), tuple(points)) for labels, points in joined.items()]

    def read(self, path: str, reader: Callable[[_JSON], _Read], parameters: Sequence[tuple[str, str]] = ()) -> _Read:
        """What `reader` makes of the data that a GET of `path` answers. Its LookupErrors and the like: `Transient`."""
        return self._understood(reader, self._data(f"{path}?{urlencode(parameters)}" if parameters else path))

    def reload(self) -> None:
        """Let it read its configuration and rule files again.

        Raises `Permanent` with its own reason when it keeps the old ones since the new ones do not load, or when
        reloading over HTTP is switched off.
        """
        answer = self._server.ask("POST", "/-/reload", timeout_seconds=self._reload_timeout_seconds)
        words = answer.words()
        if answer.succeeded:
            self._confirm_reload()
        elif answer.status == _FORBIDDEN and "lifecycle" in words.lower():
            raise Permanent(f"Prometheus at {self.address} does not reload over HTTP: start it with {LIFECYCLE_FLAG}")
        elif answer.status == _INTERNAL_ERROR and words.startswith("failed to reload config"):
            raise Permanent(words)
        else:
            raise self._failure(answer)

    def ensure_answering(self) -> None:
        """Ask for the least that it tells."""
        self._data("/api/v1/status/runtimeinfo")

    def loaded_groups(self) -> list[LoadedGroup]:
        """Every rule group that it runs now, as it prints them."""
        return self._understood(_groups, self._data("/api/v1/rules"))

    def _confirm_reload(self) -> None:
        """A proxy may answer 200 in Prometheus' place; `runtimeinfo` says whether the last configuration was taken."""
        info = self._understood(_reload_succeeded, self._data("/api/v1/status/runtimeinfo"))
        if not info:
            raise Permanent(f"Prometheus at {self.address} says that its last reload failed; its log says why")

    def _data(self, path: str, form: Mapping[str, str] | None = None) -> _JSON:
        """The `data` of a successful answer. POST where there is a form, so that long expressions fit."""
        answer = self._server.ask("POST" if form else "GET", path, form)
        if not answer.succeeded:
            raise self._failure(answer)
        return self._understood(_data_of, answer.body)

    def _failure(self, answer: Answer) -> Transient | Permanent:
        """What a refusal means. A body that is its JSON carries the reason; anything else is quoted."""
        kind, reason = _error_of(answer.body)
        words = reason or answer.words(300) or "no reason given"
        message = f"Prometheus at {self.address} answered {answer.status}: {words}"
        return Transient(message) if answer.may_pass or kind in _PASSING_ERRORS else Permanent(message)

    def _understood(self, reader: Callable[[_JSON], _Read], data: _JSON) -> _Read:
        try:
            return reader(data)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
            raise Transient(
                f"Prometheus at {self.address} answered something that is not its JSON: {error!r}"
            ) from error

    @property
    def _time_limit(self) -> dict[str, str]:
        return {"timeout": f"{self._timeout_seconds:g}s"}


def _data_of(body: bytes) -> _JSON:
    answer = orjson.loads(body)  # a third of the time of json, and months have megabytes
    if answer["status"] != "success":
        raise ValueError("status is not success")
    return answer["data"]


def _error_of(body: bytes) -> tuple[str, str]:
    """`errorType` and `error`, both empty when the body is not Prometheus' JSON."""
    try:
        answer = json.loads(body)
        return str(answer["errorType"]), str(answer["error"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return "", ""


def _reload_succeeded(data: _JSON) -> bool:
    return data["reloadConfigSuccess"] is True


def _samples(data: _JSON) -> list[Sample]:
    result = data["result"]
    match data["resultType"]:
        case "scalar":
            return [Sample({}, _moment(result[0]), float(result[1]))]
        case "vector":
            _refuse_histograms(result)
            return [Sample(row["metric"], _moment(row["value"][0]), float(row["value"][1])) for row in result]
        case "matrix":
            return [Sample(labels, at, value) for labels, points in _matrix(data) for at, value in points]
        case other:
            raise Permanent(f"the expression is a {other}, not numbers")


def _matrix(data: _JSON) -> list[tuple[dict[str, str], list[tuple[datetime, float]]]]:
    rows = data["result"]
    _refuse_histograms(rows)
    moments = _Moments()  # the series of one answer share their times
    return [(row["metric"], [(moments[at], float(value)) for at, value in row["values"]]) for row in rows]


def _refuse_histograms(rows: Iterable[_JSON]) -> None:
    """Leaving them out would read as missing data."""
    if any("histogram" in row or "histograms" in row for row in rows):
        raise Permanent("the expression yields native histograms: take histogram_count, _sum, _fraction or _quantile")


class _Moments(dict[float, datetime]):
    def __missing__(self, seconds: float) -> datetime:
        moment = self[seconds] = _moment(seconds)
        return moment


def _moment(seconds: float) -> datetime:
    """Exact to the millisecond, which is Prometheus' own resolution."""
    return _EPOCH + timedelta(milliseconds=round(seconds * 1000))


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _in_seconds(milliseconds: int) -> str:
    """Exact decimal seconds; a float would round large times."""
    return str(Decimal(milliseconds).scaleb(-3))


def _chunks(start_ms: int, end_ms: int, step_ms: int) -> Iterable[tuple[int, int]]:
    """First and last grid point of each request; none when the end is before the start."""
    points = (end_ms - start_ms) // step_ms + 1
    for first in range(0, points, POINTS_PER_REQUEST):
        last = min(first + POINTS_PER_REQUEST, points) - 1
        yield start_ms + first * step_ms, start_ms + last * step_ms


def _groups(data: _JSON) -> list[LoadedGroup]:
    return [
        LoadedGroup(
            file=group["file"],
            name=group["name"],
            interval=timedelta(seconds=group["interval"]),
            rules=tuple((rule["name"], rule["query"]) for rule in group["rules"]),
        )
        for group in data["groups"]
    ]
