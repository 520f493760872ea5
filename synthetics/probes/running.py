"""A probe, run: one try, what was asserted, and the result that the rest of the house understands."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

from controlplane.model.check import (
    DETAIL_LENGTH,
    MAX_SAMPLES,
    MAX_TIMINGS,
    CheckKind,
    CheckResult,
    CheckSample,
    Outcome,
)
from synthetics.checks import Check
from synthetics.probes.assertions import ANY_2XX, Checked, failures_detail, first_failing, judge
from synthetics.probes.attempt import Attempt, ProtocolProber, Surroundings
from synthetics.probes.model import Probe
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule, Module, TCPModule, WebSocketModule
from synthetics.probes.protocols import prober_of, protocol_of
from synthetics.probes.secrets import masked
from synthetics.probes.variables import MissingVariable, filled, named_in

FAILED_BY_REGEX: Final = "probe_failed_due_to_regex"
_GRACE_SECONDS: Final = 0.5  # probers end by themselves; this is for one that does not
_LOOKS_AT_BODY: Final = (AssertionKind.BODY, AssertionKind.JSON)
_SAMPLED: Final = "01"  # in a traceparent: the trace is kept
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where probes run. `random` gives so many random bytes; `variables` and `resolve` as in `Surroundings`."""

    region: str
    random: Callable[[int], bytes]
    variables: Mapping[str, str] = field(default_factory=dict)
    resolve: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProbeRun:
    """One run: its result, and what people may want to see beside it. `checked` is empty when the try itself failed."""

    result: CheckResult
    attempt: Attempt
    checked: tuple[Checked, ...]


def check_of(probe: Probe, place: Place) -> Check:
    """The probe as something to run in turns."""
    return Check(
        name=probe.name,
        kind=CheckKind.PROBE,
        every=probe.interval,
        timeout=probe.timeout,
        regions=frozenset(probe.regions),
        run=partial(_result_of, probe, place),
    )


async def _result_of(probe: Probe, place: Place, now: datetime) -> CheckResult:
    return (await run_probe(probe, place, now)).result


async def run_probe(probe: Probe, place: Place, now: datetime) -> ProbeRun:
    """Ask once; it ends within the probe's timeout and half a second, and never raises for what a target does."""
    trace_id, span_id = place.random(16).hex(), place.random(8).hex()
    assertions = _assertions(probe)
    secrets = _secrets(probe, place.variables)
    around = Surroundings(
        now=now,
        timeout_seconds=probe.timeout.total_seconds(),
        traceparent=f"00-{trace_id}-{span_id}-{_SAMPLED}",
        resolve=place.resolve,
        variables=place.variables,
        wants_body=any(one.kind in _LOOKS_AT_BODY for one in assertions),
    )
    prober = prober_of(probe.module)  # its first import is none of the target's time
    began = time.perf_counter()
    attempt = await _attempt(prober, probe, around)
    seconds = time.perf_counter() - began
    checked = () if attempt.reason else judge(assertions, attempt.answer, attempt.timings, seconds, now)
    checked = tuple(replace(one, saw=masked(one.saw, secrets), title=masked(one.title, secrets)) for one in checked)
    attempt = replace(
        attempt,
        detail=masked(attempt.detail, secrets),
        notes=tuple(masked(note, secrets) for note in attempt.notes),
        samples=(*_without_secrets(attempt.samples, secrets), *_regex_sample(probe.module, checked)),
    )
    failing = first_failing(checked)
    detail = attempt.detail or failures_detail(checked)
    result = CheckResult(
        check=probe.name,
        kind=CheckKind.PROBE,
        region=place.region,
        started_at=now,
        duration_seconds=seconds,
        outcome=_outcome(attempt, failing),
        reason=attempt.reason or (failing.reason if failing else ""),
        detail=detail if len(detail) <= DETAIL_LENGTH else f"{detail[: DETAIL_LENGTH - 1]}…",
        timings=attempt.timings[:MAX_TIMINGS],
        samples=attempt.samples[:MAX_SAMPLES],
        trace_id=trace_id if _carries_trace(probe.module) else "",
    )
    return ProbeRun(result, attempt, checked)


async def _attempt(prober: ProtocolProber[Module], probe: Probe, around: Surroundings) -> Attempt:
    try:
        target = filled(probe.target, around.variables)
    except MissingVariable as missing:
        return Attempt(reason="variable", detail=str(missing), is_fault=True)
    try:
        async with asyncio.timeout(around.timeout_seconds + _GRACE_SECONDS):
            return await prober(probe.module, target, around)
    except TimeoutError:
        return Attempt(reason="timeout", detail=f"no end after {around.timeout_seconds:.3g} s")
    except Exception as error:
        log.exception("probe.crashed", extra={"probe": probe.name})
        return Attempt(reason="internal", detail=f"the prober itself failed: {type(error).__name__}", is_fault=True)


def _assertions(probe: Probe) -> tuple[Assertion, ...]:
    """As written; of an HTTP answer also that its status is 2xx, unless something else is said of it."""
    is_silent = not any(one.kind is AssertionKind.STATUS for one in probe.assertions)
    return (ANY_2XX, *probe.assertions) if is_silent and isinstance(probe.module, HTTPModule) else probe.assertions


def variables_named(probe: Probe) -> frozenset[str]:
    """The names of all variables that a probe takes from the prober's environment."""
    module = probe.module
    texts = [probe.target]
    if isinstance(module, HTTPModule | WebSocketModule):
        texts += [value for _, value in module.headers]
    if isinstance(module, HTTPModule):
        texts.append(module.body)
    if isinstance(module, TCPModule | WebSocketModule):
        texts += [step.send for step in module.steps]
    return frozenset(name for text in texts for name in named_in(text))


def _secrets(probe: Probe, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Values that were filled in; none of them may be told. Longest first, in case one holds another."""
    values = (variables[name] for name in variables_named(probe) if name in variables)
    return tuple(sorted(values, key=len, reverse=True))


def _without_secrets(samples: tuple[CheckSample, ...], secrets: Sequence[str]) -> tuple[CheckSample, ...]:
    """A target may say again what it was sent, and labels tell what it said."""
    if not secrets:
        return samples
    return tuple(
        replace(one, labels=tuple((name, masked(text, secrets)) for name, text in one.labels)) for one in samples
    )


def _regex_sample(module: Module, checked: tuple[Checked, ...]) -> tuple[CheckSample, ...]:
    if not isinstance(module, HTTPModule):
        return ()
    failed = any(not one.holds and one.is_about_a_pattern for one in checked)
    return (CheckSample(FAILED_BY_REGEX, 1 if failed else 0),)


def _outcome(attempt: Attempt, failing: Checked | None) -> Outcome:
    if attempt.reason:
        return Outcome.FAULT if attempt.is_fault else Outcome.FAILED
    return Outcome.FAILED if failing else Outcome.OK


def _carries_trace(module: Module) -> bool:
    """Only what has headers can take a trace along; another's id would lead nowhere."""
    return protocol_of(module) in ("http", "websocket", "grpc")
