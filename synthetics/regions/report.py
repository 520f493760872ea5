"""A prober's report, read from bytes that anybody may have sent: a value, or one clear refusal. Pure."""

import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar

import orjson

from controlplane.model.check import (
    DETAIL_LENGTH,
    MAX_SAMPLES,
    MAX_TIMINGS,
    CheckKind,
    CheckResult,
    CheckSample,
    Outcome,
    ReportHead,
    Timing,
)
from synthetics.regions import limits
from synthetics.regions.report_writing import VERSION

_HEAD: Final = {"version", "region", "prober", "sequence", "sentAt", "buffered", "software", "results"}
_RESULT: Final = {
    "check", "kind", "startedAt", "durationSeconds", "outcome", "reason", "detail", "timings", "samples", "traceId",
    "confirms",
}  # fmt: skip
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_KINDS: Final = {kind.value: kind for kind in CheckKind}
_OUTCOMES: Final = {outcome.value: outcome for outcome in Outcome}
_PAIR, _TRIPLE = 2, 3
T = TypeVar("T")


class RefusalKind(Enum):
    """Which answer it is."""

    MALFORMED = "malformed"
    OVERSIZED = "oversized"
    WRONG_REGION = "wrong_region"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a report is not taken; `field` says where, empty for the whole."""

    kind: RefusalKind
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True, slots=True)
class Report:
    """What was reported; results in the order in which they were written."""

    head: ReportHead
    results: tuple[CheckResult, ...]


class _Wrong(Exception):
    def __init__(self, field: str, reason: str, kind: RefusalKind = RefusalKind.MALFORMED) -> None:
        super().__init__(reason)
        self.refusal = Refusal(kind, field, reason)


def unpack(packed: bytes) -> bytes | Refusal:
    """What gzip packed; refused when it is larger than a report may be, before it is all unpacked."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        body = unpacking.decompress(packed, limits.MAX_BODY_BYTES)
    except zlib.error:
        return Refusal(RefusalKind.MALFORMED, "", "the body is not gzip")
    if unpacking.unconsumed_tail:
        return _oversized()
    if not unpacking.eof or unpacking.unused_data:
        return Refusal(RefusalKind.MALFORMED, "", "the body is not one whole gzip stream")
    return body


def parse(body: bytes, *, region: str, now: datetime) -> Report | Refusal:
    """The report in `body`, whose sender may speak for `region` only. Never raises."""
    if len(body) > limits.MAX_BODY_BYTES:
        return _oversized()
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Refusal(RefusalKind.MALFORMED, "", "the body is not JSON")
    try:
        return _Reading(region, now).report(document)
    except _Wrong as wrong:
        return wrong.refusal


def _oversized() -> Refusal:
    reason = f"larger than {limits.MAX_BODY_BYTES} bytes when it is unpacked"
    return Refusal(RefusalKind.OVERSIZED, "", reason)


class _Reading:
    def __init__(self, region: str, now: datetime) -> None:
        self._region = region
        self._latest = now + limits.MAX_AHEAD
        self._earliest = now - limits.MAX_AGE
        self._known: set[tuple[str, ...]] = set()  # names of samples and their labels, found good

    def report(self, document: object) -> Report:
        written = _object(document, "", _HEAD)
        if written.get("version") != VERSION or isinstance(written["version"], bool):
            raise _Wrong("version", f"this Flyball reads version {VERSION}")
        region = _pattern(written, "region", limits.REGION, "lower-case letters, digits and `-`")
        if region != self._region:
            raise _Wrong("region", f"the signature is that of {self._region}", RefusalKind.WRONG_REGION)
        head = ReportHead(
            region=region,
            prober=_pattern(written, "prober", limits.PROBER, "up to 100 letters, digits, `-`, `_` and `.`"),
            sequence=_count(written, "sequence", least=1),
            sent_at=self._time(written, "sentAt", ""),
            buffered=_count(written, "buffered", default=0),
            version=_text(written, "software", "", limits.MAX_NAME, default=""),
        )
        listed = _list(written, "results", "", limits.MAX_RESULTS)
        return Report(head, tuple(self._result(each, f"results[{number}]") for number, each in enumerate(listed)))

    def _result(self, document: object, at: str) -> CheckResult:
        written = _object(document, at, _RESULT)
        kind = _choice(written, "kind", at, _KINDS)
        check = _text(written, "check", at, limits.MAX_NAME)
        if not check or (kind is CheckKind.SELF_CHECK and check != self._region):
            raise _Wrong(f"{at}.check", "a self-check has its region's name" if check else "has no name")
        started_at = self._time(written, "startedAt", at)
        if started_at < self._earliest:
            hours = int(limits.MAX_AGE.total_seconds() // 3600)
            raise _Wrong(f"{at}.startedAt", f"is longer ago than {hours} hours")
        trace_id = _text(written, "traceId", at, 32, default="")
        if trace_id and not limits.TRACE_ID.fullmatch(trace_id):
            raise _Wrong(f"{at}.traceId", "expected 32 hexadecimal digits in lower case")
        return CheckResult(
            check=check,
            kind=kind,
            region=self._region,
            started_at=started_at,
            duration_seconds=_seconds(written.get("durationSeconds"), f"{at}.durationSeconds"),
            outcome=_choice(written, "outcome", at, _OUTCOMES),
            reason=_text(written, "reason", at, limits.MAX_REASON, default=""),
            detail=_text(written, "detail", at, DETAIL_LENGTH, default=""),
            timings=self._each(written, "timings", at, MAX_TIMINGS, self._timing),
            samples=self._each(written, "samples", at, MAX_SAMPLES, self._sample),
            trace_id=trace_id,
            confirms=_flag(written, "confirms", at),
        )

    def _time(self, written: dict[str, object], name: str, at: str) -> datetime:
        field, text = _join(at, name), written.get(name)
        try:
            if not isinstance(text, str) or not _TIME.fullmatch(text):
                raise ValueError(text)
            found = datetime.fromisoformat(text)
        except ValueError:
            raise _Wrong(field, "expected a time in UTC such as 2026-11-30T12:00:00.123456Z") from None
        if found > self._latest:
            raise _Wrong(field, f"lies more than {limits.MAX_AHEAD.total_seconds():.0f} s ahead: compare the clocks")
        return found

    def _each(
        self, written: dict[str, object], name: str, at: str, most: int, read: Callable[[object, str], T]
    ) -> tuple[T, ...]:
        listed = _list(written, name, at, most, default=[])
        return tuple(read(each, f"{at}.{name}[{number}]") for number, each in enumerate(listed))

    def _timing(self, document: object, at: str) -> Timing:
        if not isinstance(document, list) or len(document) != _PAIR:
            raise _Wrong(at, "expected [name, seconds]")
        name = _checked(document[0], at, limits.MAX_NAME)
        if not name:
            raise _Wrong(at, "has no name")
        return Timing(name, _seconds(document[1], at))

    def _sample(self, document: object, at: str) -> CheckSample:
        if not isinstance(document, list) or not _PAIR <= len(document) <= _TRIPLE:
            raise _Wrong(at, "expected [name, value] or [name, value, labels]")
        name, value = document[0], document[1]
        labels = document[2] if len(document) == _TRIPLE else {}
        if not isinstance(labels, dict) or len(labels) > limits.MAX_LABELS:
            raise _Wrong(at, f"expected an object of at most {limits.MAX_LABELS} labels")
        names = (name, *labels)
        if names not in self._known:
            if not isinstance(name, str) or not limits.METRIC.fullmatch(name):
                raise _Wrong(at, "its name is none of a metric")
            if not all(limits.LABEL.fullmatch(label) for label in labels):
                raise _Wrong(at, "a label's name is none")
            self._known.add(names)
        found = tuple((label, _checked(text, at, limits.MAX_LABEL_VALUE)) for label, text in labels.items())
        return CheckSample(name, _number(value, at), found)


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _object(document: object, at: str, names: set[str]) -> dict[str, object]:
    if not isinstance(document, dict):
        raise _Wrong(at, "expected an object")
    unknown = document.keys() - names
    if unknown:
        raise _Wrong(_join(at, sorted(unknown)[0][:100]), "is not a field of a report")
    return document


def _list(
    written: dict[str, object], name: str, at: str, most: int, *, default: list[object] | None = None
) -> list[object]:
    found = written.get(name, default)
    if not isinstance(found, list):
        raise _Wrong(_join(at, name), "expected a list")
    if len(found) > most:
        raise _Wrong(_join(at, name), f"holds more than {most:,}")
    return found


def _checked(text: object, field: str, most: int) -> str:
    if not isinstance(text, str):
        raise _Wrong(field, "expected text")
    if len(text) > most:
        raise _Wrong(field, f"is longer than {most} characters")
    if limits.UNSTORABLE.search(text):
        raise _Wrong(field, "holds a NUL character or half a character")
    return text


def _text(written: dict[str, object], name: str, at: str, most: int, *, default: str | None = None) -> str:
    return _checked(written.get(name, default), _join(at, name), most)


def _pattern(written: dict[str, object], name: str, pattern: re.Pattern[str], expected: str) -> str:
    text = _text(written, name, "", limits.MAX_NAME)
    if not pattern.fullmatch(text):
        raise _Wrong(name, f"expected {expected}")
    return text


def _choice(written: dict[str, object], name: str, at: str, choices: dict[str, T]) -> T:
    text = written.get(name)
    if not isinstance(text, str) or text not in choices:
        raise _Wrong(_join(at, name), f"expected one of {', '.join(choices)}")
    return choices[text]


def _flag(written: dict[str, object], name: str, at: str) -> bool:
    found = written.get(name, False)
    if not isinstance(found, bool):
        raise _Wrong(_join(at, name), "expected true or false")
    return found


def _count(written: dict[str, object], name: str, *, least: int = 0, default: int | None = None) -> int:
    found = written.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= limits.MAX_COUNT:
        raise _Wrong(name, f"expected a whole number from {least} on")
    return found


def _number(value: object, field: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _Wrong(field, "expected a finite number")
    return float(value)


def _seconds(value: object, field: str) -> float:
    found = _number(value, field)
    if not 0 <= found <= limits.MAX_SECONDS:
        raise _Wrong(field, f"expected seconds from 0 to {limits.MAX_SECONDS:.0f}")
    return found
