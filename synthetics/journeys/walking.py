"""An API journey: its steps in order, with what they save, until one fails."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from controlplane.model.check import MAX_TIMINGS, Outcome, Timing
from synthetics.journeys.model import (
    APIFlow,
    APIStep,
    Expectation,
    FormBody,
    JSONBody,
    Poll,
    RequestTemplate,
    TextBody,
)
from synthetics.journeys.ports import NoReply, OnStep, OpenSession, Reply, Report, Request, Session, StepEvent
from synthetics.journeys.saving import NotFound, saved
from synthetics.journeys.templates import Origin, Reference, Unset, Values, rendered
from synthetics.probes.assertions import Checked, first_failing, judge
from synthetics.probes.modules import Assertion

_CLEAN_UP_SHARE: Final = 0.2  # of the time, kept for steps that always run
_CLEAN_UP_SECONDS: Final = 10.0  # at most


class _Stopped(Exception):
    """A step failed."""

    def __init__(self, reason: str, detail: str, outcome: Outcome = Outcome.FAILED) -> None:
        super().__init__(detail)
        self.reason, self.detail, self.outcome = reason, detail, outcome


@dataclass(frozen=True, slots=True)
class Walk:
    """What a run works with. `new_traceparent` gives the header of the next step: one trace, a span for each."""

    values: Values
    resolve: Mapping[str, str]
    timeout_seconds: float
    new_traceparent: Callable[[], str]
    on_step: OnStep


async def walk(flow: APIFlow, run: Walk, open_session: OpenSession) -> Report:
    """One run, over in time; never raises for what the target does. Secrets are not masked yet."""
    began = time.monotonic()
    usual = [step for step in flow.steps if not step.always]
    always = [step for step in flow.steps if step.always]
    kept = min(run.timeout_seconds * _CLEAN_UP_SHARE, _CLEAN_UP_SECONDS) if always else 0.0
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_session(run.resolve))
        walker = _Walker(run, session)
        await walker.each(usual, began + run.timeout_seconds - kept)
        await walker.each(always, began + run.timeout_seconds, is_clean_up=True)
    return walker.report()


class _Walker:
    def __init__(self, run: Walk, session: Session) -> None:
        self._run, self._session = run, session
        self._timings: list[Timing] = []
        self._stopped: _Stopped | None = None
        self._failed_step = ""

    async def each(self, steps: Sequence[APIStep], deadline: float, *, is_clean_up: bool = False) -> None:
        """Take steps until one fails; to clean up, take every one whose values are there."""
        for step in steps:
            if not is_clean_up and self._stopped:
                return
            if is_clean_up and not self._can_begin(step):
                continue
            await self._one(step, deadline)

    def report(self) -> Report:
        """How it went."""
        timings = tuple(self._timings[:MAX_TIMINGS])
        if self._stopped is None:
            return Report(Outcome.OK, timings=timings)
        detail = f"step `{self._failed_step}`: {self._stopped.detail}"
        return Report(self._stopped.outcome, self._stopped.reason, detail, timings, self._failed_step)

    def _can_begin(self, step: APIStep) -> bool:
        """A step that takes what was never saved has nothing to clean up."""
        try:
            _request(step.request, self._run.values, "")
        except Unset as unset:
            return unset.reference.origin is not Origin.NAME
        return True

    async def _one(self, step: APIStep, deadline: float) -> None:
        self._run.on_step(StepEvent(step.name))
        began = time.monotonic()
        stopped: _Stopped | None = None
        try:
            async with asyncio.timeout(max(0.0, deadline - began)):
                await self._take(step)
        except TimeoutError:
            stopped = _Stopped("timeout", f"the journey was not done within {self._run.timeout_seconds:g} s")
        except _Stopped as error:
            stopped = error
        except NoReply as error:
            stopped = _Stopped(error.reason, error.detail, Outcome.FAULT if error.is_fault else Outcome.FAILED)
        except Unset as unset:
            stopped = _unset(unset.reference)
        seconds = time.monotonic() - began
        self._timings.append(Timing(step.name, seconds))
        if stopped and not self._stopped:
            self._stopped, self._failed_step = stopped, step.name
        self._run.on_step(StepEvent(step.name, seconds, ok=stopped is None))

    async def _take(self, step: APIStep) -> None:
        traceparent = self._run.new_traceparent()
        if step.poll is None:
            reply = await self._ask(step, traceparent)
        else:
            reply = await self._polled(step, step.poll, traceparent)
        for save in step.saves:
            try:
                self._run.values.names[save.name] = saved(save, reply)
            except NotFound as missing:
                raise _Stopped("save", f"nothing to save as `{save.name}`: {missing}") from None

    async def _ask(self, step: APIStep, traceparent: str) -> Reply:
        reply = await self._session.send(_request(step.request, self._run.values, traceparent))
        if failure := self._failure(step.expect, reply):
            raise _Stopped(failure.reason, failure.detail)
        return reply

    async def _polled(self, step: APIStep, poll: Poll, traceparent: str) -> Reply:
        until = time.monotonic() + poll.limit.total_seconds()
        while True:
            reply = await self._ask(step, traceparent)
            failure = self._failure(poll.until, reply)
            if failure is None:
                return reply
            if time.monotonic() + poll.every.total_seconds() > until:
                raise _Stopped("poll", f"still not so after {poll.limit.total_seconds():g} s: {failure.detail}")
            await asyncio.sleep(poll.every.total_seconds())

    def _failure(self, expected: Sequence[Expectation], reply: Reply) -> Checked | None:
        """The first that does not hold."""
        values = self._run.values
        assertions = [_filled(each, values) for each in expected]
        return first_failing(judge(assertions, reply.answer, (), reply.seconds, values.now))


def _unset(reference: Reference) -> _Stopped:
    if reference.origin is Origin.ENVIRONMENT:
        return _Stopped("variable", unset_detail(reference), Outcome.FAULT)
    return _Stopped("save", f"`{reference.name}` was never saved")


def unset_detail(reference: Reference) -> str:
    """What to say of a variable that the environment lacks."""
    return f"the environment variable {reference.name} is not set where this journey runs"


def _filled(expectation: Expectation, values: Values) -> Assertion:
    """The assertion with what it compares with, which is JSON where it is about JSON."""
    assertion, equals = expectation.assertion, expectation.equals
    if equals is None:
        return assertion
    if assertion.path:
        return replace(assertion, equals=json.dumps(values.json(equals), ensure_ascii=False))
    return replace(assertion, equals=values.text(equals))


def _request(template: RequestTemplate, values: Values, traceparent: str) -> Request:
    headers = [(name, values.text(value)) for name, value in template.headers]
    body, content_type = _body(template, values)
    named = {name.lower() for name, _ in headers}
    if content_type and "content-type" not in named:
        headers.append(("content-type", content_type))
    if traceparent and "traceparent" not in named:
        headers.append(("traceparent", traceparent))
    query = [(name, values.text(value)) for name, value in template.query]
    url = _with_query(values.text(template.url).strip(), query)
    return Request(
        template.method, url, tuple(headers), body, template.timeout.total_seconds(), template.follow_redirects
    )


def _body(template: RequestTemplate, values: Values) -> tuple[bytes, str]:
    match template.body:
        case JSONBody(tree):
            return rendered(tree, values).encode(), "application/json"
        case FormBody(fields):
            text = urlencode([(name, values.text(value)) for name, value in fields])
            return text.encode(), "application/x-www-form-urlencoded"
        case TextBody(text):
            return values.text(text).encode(), ""
        case None:
            return b"", ""


def _with_query(url: str, query: list[tuple[str, str]]) -> str:
    if not query:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(each for each in (parts.query, urlencode(query)) if each)))
