"""What must hold of an answer, held against it: everything that does not, in the order in which it was written."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from controlplane.model.check import Timing
from controlplane.wording import significant
from synthetics.probes.attempt import Answer
from synthetics.probes.json_paths import NoJSON, as_text, found_by, parse_json
from synthetics.probes.lengths import shown_length
from synthetics.probes.modules import Assertion, AssertionKind
from synthetics.probes.patterns import compiled
from synthetics.probes.secrets import is_secret_name

ANY_2XX: Final = Assertion(AssertionKind.STATUS, statuses=("2xx",))
"""What is asserted of an HTTP answer when nothing is said of its status."""

_SHOWN: Final = 80
_HIDDEN: Final = "a value that is not shown"
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """One assertion: whether it holds, and what was seen. `title` says it in words; texts hold no secrets of ours."""

    assertion: Assertion
    holds: bool
    title: str
    saw: str

    @property
    def reason(self) -> str:
        """One word for machines."""
        return self.assertion.kind.value

    @property
    def detail(self) -> str:
        """A sentence for people, of one that does not hold."""
        return f"{self.title}: it is not so, {self.saw}" if self.saw else f"{self.title}: it is not so"

    @property
    def is_about_a_pattern(self) -> bool:
        """Whether blackbox_exporter would say that a regular expression failed it."""
        asserted = self.assertion
        has_pattern = bool(asserted.matches or asserted.not_matches)
        return has_pattern and asserted.kind in (AssertionKind.HEADER, AssertionKind.BODY)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is to look at; the body's JSON is read once, when first needed."""

    answer: Answer
    timings: Sequence[Timing]
    seconds: float
    now: datetime
    json: "_JSON"


class _JSON:
    def __init__(self, body: bytes) -> None:
        self._body = body
        self._value: object = None
        self._fault: str | None = None
        self._is_read = False

    def value(self) -> object:
        """The body's value. Raises NoJSON."""
        if not self._is_read:
            self._is_read = True
            try:
                self._value = parse_json(self._body)
            except NoJSON as error:
                self._fault = str(error)
        if self._fault is not None:
            raise NoJSON(self._fault)
        return self._value


def judge(
    assertions: Iterable[Assertion], answer: Answer, timings: Sequence[Timing], seconds: float, now: datetime
) -> tuple[Checked, ...]:
    """Every assertion against the answer, in order. `seconds`: all of it took so long."""
    seen = _Seen(answer, timings, seconds, now, _JSON(answer.body))
    return tuple(_CHECKS[one.kind](one, seen) for one in assertions)


def first_failing(checked: Iterable[Checked]) -> Checked | None:
    """The one that gives the reason."""
    return next((one for one in checked if not one.holds), None)


def failures_detail(checked: Sequence[Checked]) -> str:
    """All that do not hold, as one text."""
    return "; ".join(one.detail for one in checked if not one.holds)


def _status(asserted: Assertion, seen: _Seen) -> Checked:
    status, title = seen.answer.status, f"status is {' or '.join(asserted.statuses)}"
    if status is None:
        return Checked(asserted, holds=False, title=title, saw="there was none")
    holds = any(one in (str(status), f"{status // 100}xx") for one in asserted.statuses)
    return Checked(asserted, holds, title, str(status))


def _header(asserted: Assertion, seen: _Seen) -> Checked:
    values = [value for name, value in seen.answer.headers if name == asserted.name]
    title = f"header {asserted.name} {_words(asserted, asserted.equals)}"
    saw = _hidden(asserted.name, values) if values else "there is none"
    return Checked(asserted, _fits(asserted, values, lambda value: value == asserted.equals), title, saw)


def _body(asserted: Assertion, seen: _Seen) -> Checked:
    body = seen.answer.body
    values = [body] if body or asserted.exists is None else []
    title = f"body {_words(asserted, asserted.equals)}"
    wanted = None if asserted.equals is None else asserted.equals.encode()
    return Checked(asserted, _fits(asserted, values, lambda value: value == wanted), title, f"{len(body):,} bytes")


def _json(asserted: Assertion, seen: _Seen) -> Checked:
    title = f"{asserted.path} {_words(asserted, asserted.equals)}"
    try:
        value = seen.json.value()
    except NoJSON as error:
        return Checked(asserted, holds=False, title=title, saw=str(error))
    found = found_by(asserted.path, value)
    wanted = None if asserted.equals is None else json.loads(asserted.equals)
    texts = [as_text(one) for one in found] if asserted.matches or asserted.not_matches else None
    holds = _fits(asserted, found, lambda one: _same_json(one, wanted), texts)
    return Checked(asserted, holds, title, _shown([as_text(one) for one in found[:3]]) if found else "nothing is there")


def _certificate(asserted: Assertion, seen: _Seen) -> Checked:
    assert asserted.least_days is not None
    title = f"certificate holds for {asserted.least_days} days"
    ends_at = seen.answer.certificate_ends_at
    if ends_at is None:
        return Checked(asserted, holds=False, title=title, saw="no certificate was shown")
    left = ends_at - seen.now
    days = significant(abs(left) / _DAY)
    saw = f"it ends in {days} days" if left > timedelta(0) else f"it ended {days} days ago"
    least = timedelta(microseconds=int(asserted.least_days * Decimal(_DAY // timedelta(microseconds=1))))
    return Checked(asserted, left >= least, title, f"{saw}, {ends_at:%Y-%m-%d}")


def _latency(asserted: Assertion, seen: _Seen) -> Checked:
    assert asserted.at_most is not None
    title = f"{asserted.phase or 'all of it'} takes at most {shown_length(asserted.at_most)}"
    if not asserted.phase:
        took = seen.seconds
    else:
        of_phase = [timing.seconds for timing in seen.timings if timing.name == asserted.phase]
        if not of_phase:
            return Checked(asserted, holds=False, title=title, saw="there was no such phase")
        took = sum(of_phase)
    return Checked(asserted, took <= asserted.at_most.total_seconds(), title, f"{significant(took * 1000)} ms")


_CHECKS: Final[dict[AssertionKind, Callable[[Assertion, _Seen], Checked]]] = {
    AssertionKind.STATUS: _status,
    AssertionKind.HEADER: _header,
    AssertionKind.BODY: _body,
    AssertionKind.JSON: _json,
    AssertionKind.CERTIFICATE: _certificate,
    AssertionKind.LATENCY: _latency,
}


def _fits(
    asserted: Assertion,
    values: Sequence[object],
    equals: Callable[[object], bool],
    texts: Sequence[bytes | str] | None = None,
) -> bool:
    """Any value may be equal and may match, none may match what must not; what is not there only may be absent."""
    if asserted.exists is False:
        return not values
    only_forbids = bool(asserted.not_matches) and not asserted.matches and asserted.equals is None
    if not values:
        return only_forbids and not asserted.exists
    searched: Sequence[bytes | str] = texts if texts is not None else [v for v in values if isinstance(v, bytes | str)]
    if asserted.equals is not None and not any(equals(value) for value in values):
        return False
    if asserted.matches and not any(compiled(asserted.matches).search(text) for text in searched):
        return False
    return not (asserted.not_matches and any(compiled(asserted.not_matches).search(text) for text in searched))


def _same_json(one: object, other: object) -> bool:
    """Python takes True for 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_json, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_json(one[key], other[key]) for key in one)
    return one == other


def _words(asserted: Assertion, equals: str | None) -> str:
    parts = []
    if equals is not None:
        parts.append(f"is {_short(equals)}")
    if asserted.matches:
        parts.append(f"matches {_short(asserted.matches)}")
    if asserted.not_matches:
        parts.append(f"does not match {_short(asserted.not_matches)}")
    if asserted.exists is not None and not parts:
        parts.append("is there" if asserted.exists else "is not there")
    return " and ".join(parts)


def _hidden(name: str, values: Sequence[str]) -> str:
    return _HIDDEN if is_secret_name(name) else _shown(values)


def _shown(values: Sequence[str]) -> str:
    return ", ".join(_short(value) for value in values[:3]) + (", …" if len(values) > 3 else "")


def _short(text: str) -> str:
    line = "".join(character if character.isprintable() else "·" for character in text[: _SHOWN + 1])
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
