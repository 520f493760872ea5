"""What documents say must hold of an answer, as values, and what is wrong with it."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane.problems import Problem
from controlplane.specfile import Document
from synthetics.probes.json_paths import as_json, path_fault
from synthetics.probes.lengths import HINT, parse_length
from synthetics.probes.modules import (
    Assertion,
    AssertionKind,
    HTTPModule,
    ICMPModule,
    Module,
    TCPModule,
    WebSocketModule,
)
from synthetics.probes.reading_parts import RULE, At, pattern_problems
from synthetics.probes.spec import (
    ASSERTIONS,
    AssertionPart,
    BodyPart,
    HeaderPart,
    JSONPathPart,
    LatencyPart,
)

_KEYS: Final = {"json_path": "jsonPath", "certificate_days": "certificateDays"}
_LONGEST: Final = timedelta(minutes=5)
_OF_HTTP: Final = ("status", "header", "body", "json_path")
_CONVERSE: Final = (TCPModule, WebSocketModule)
_HTTP_PHASES: Final = ("resolve", "connect", "tls", "processing", "transfer")


def assertions_of(parts: Sequence[AssertionPart]) -> tuple[Assertion, ...]:
    """Those that are written, as values; only of parts without problems."""
    return tuple(_assertion(part) for part in parts)


def assertion_problems(
    document: Document, parts: Sequence[AssertionPart], module: Module | None
) -> Iterator[Problem]:  # fmt: skip
    """What is wrong with them; `module` None: the protocol is not known."""
    for number, part in enumerate(parts):
        at: At = ("spec", "assertions", number)
        written = [name for name in ASSERTIONS if getattr(part, name) is not None]
        keys = [_KEYS.get(name, name) for name in written]
        if len(written) != 1:
            message = "nothing is asserted" if not written else f"{' and '.join(keys)} exclude each other"
            hint = "exactly one of status, header, body, jsonPath, certificateDays, latency"
            yield document.problem(*at, message=message, hint=hint, rule=RULE)
            continue
        if module is not None and not _fits(written[0], module):
            message = f"there is no {_MEANT[written[0]]} with this protocol"
            hint = "say what it must answer in `steps`, with expect" if isinstance(module, _CONVERSE) else ""
            yield document.problem(*at, keys[0], message=message, hint=hint, on_key=True, rule=RULE)
        yield from _part_problems(document, (*at, keys[0]), part, module)


_MEANT: Final = {
    "status": "status",
    "header": "header",
    "body": "body",
    "json_path": "body",
    "certificate_days": "certificate",
}


def _fits(name: str, module: Module) -> bool:
    if name in _OF_HTTP:
        return isinstance(module, HTTPModule)
    return name != "certificate_days" or not isinstance(module, ICMPModule)


def _part_problems(document: Document, at: At, part: AssertionPart, module: Module | None) -> Iterator[Problem]:
    if part.latency is not None:
        yield from _latency_problems(document, at, part.latency, module)
    for asserted in (part.header, part.body, part.json_path):
        if asserted is not None:
            yield from _matcher_problems(document, at, asserted)
    if part.json_path is not None:
        fault = path_fault(part.json_path.path)
        if fault is not None:
            yield document.problem(*at, "path", message=fault.message, offset=fault.offset, rule=RULE)


def _matcher_problems(document: Document, at: At, part: HeaderPart | BodyPart | JSONPathPart) -> Iterator[Problem]:
    yield from pattern_problems(document, part.matches, *at, "matches")
    yield from pattern_problems(document, part.not_matches, *at, "notMatches")
    compares = [part.equals is not None, part.matches is not None, part.not_matches is not None]
    if not any(compares) and part.exists is None:
        hint = "equals, matches, notMatches or exists"
        yield document.problem(*at, message="nothing is asserted of it", hint=hint, rule=RULE)
    if part.exists is False and any(compares):
        message = "what must not be there cannot have a value"
        yield document.problem(*at, "exists", message=message, rule=RULE)


def _latency_problems(document: Document, at: At, part: LatencyPart, module: Module | None) -> Iterator[Problem]:
    length = parse_length(part.at_most)
    if length is None:
        yield document.problem(*at, "atMost", message=f"`{part.at_most}` is not a length", hint=HINT, rule=RULE)
    elif not timedelta(0) < length <= _LONGEST:
        yield document.problem(*at, "atMost", message="must be more than nothing and at most 5m", rule=RULE)
    if part.phase and isinstance(module, HTTPModule) and part.phase not in _HTTP_PHASES:
        message = f"`{part.phase}` is not a phase of an HTTP request"
        yield document.problem(*at, "phase", message=message, hint=f"one of {', '.join(_HTTP_PHASES)}", rule=RULE)


def _assertion(part: AssertionPart) -> Assertion:
    if part.status is not None:
        return Assertion(AssertionKind.STATUS, statuses=tuple(one.lower() for one in part.status))
    if part.certificate_days is not None:
        return Assertion(AssertionKind.CERTIFICATE, least_days=part.certificate_days)
    if part.latency is not None:
        at_most = parse_length(part.latency.at_most)
        return Assertion(AssertionKind.LATENCY, at_most=at_most, phase=part.latency.phase or "")
    if part.header is not None:
        return _matcher(AssertionKind.HEADER, part.header, part.header.equals, name=part.header.name.lower())
    if part.body is not None:
        return _matcher(AssertionKind.BODY, part.body, part.body.equals)
    assert part.json_path is not None
    equals = part.json_path.equals
    canonical = None if equals is None else json.dumps(as_json(equals), ensure_ascii=False, sort_keys=True)
    return _matcher(AssertionKind.JSON, part.json_path, canonical, path=part.json_path.path)


def _matcher(
    kind: AssertionKind,
    part: HeaderPart | BodyPart | JSONPathPart,
    equals: str | None,
    *,
    name: str = "",
    path: str = "",
) -> Assertion:
    return Assertion(
        kind,
        name=name,
        path=path,
        equals=equals,
        matches=part.matches or "",
        not_matches=part.not_matches or "",
        exists=part.exists,
    )
