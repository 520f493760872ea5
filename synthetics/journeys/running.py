"""A journey as a check: what a prober runs in turns, and what it reports."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from controlplane import check_names as names
from controlplane.model.check import DETAIL_LENGTH, CheckKind, CheckResult, CheckSample, Outcome, Timing
from synthetics.checks import LOCAL_REGION, Check
from synthetics.journeys.environment import Environment, NoSecret
from synthetics.journeys.model import APIFlow, BrowserFlow, Journey
from synthetics.journeys.ports import BrowserTask, OnStep, OpenSession, Report, RunBrowser, no_progress
from synthetics.journeys.templates import Unset, Values
from synthetics.journeys.walking import Walk, unset_detail, walk
from synthetics.masking import Masker
from synthetics.probes.secrets import is_secret_name

RandomBytes = Callable[[int], bytes]
_TRACE_BYTES, _SPAN_BYTES = 16, 8
_HEADED_SECONDS: Final = 1800.0  # people look around, and pause
_UNIQUE: Final = 12  # characters of the trace id that ${unique} is


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs journeys of a workspace in one region. `random_bytes` makes ids of traces and spans.

    `resolve` pins `host:port` to an address `host:port`, for regions with an ingress of their own.
    """

    workspace: Path
    open_session: OpenSession
    run_browser: RunBrowser
    environment: Environment
    random_bytes: RandomBytes
    region: str = LOCAL_REGION
    resolve: Mapping[str, str] = field(default_factory=dict)
    is_headed: bool = False

    async def run(self, journey: Journey, now: datetime, on_step: OnStep = no_progress) -> tuple[CheckResult, Report]:
        """One run: the result, and for people what else there is to say. Neither holds a secret."""
        trace_id = self.random_bytes(_TRACE_BYTES).hex()
        began = time.monotonic()
        try:
            secrets = self.environment.secrets_of(journey)
        except NoSecret as missing:
            report = Report(Outcome.FAULT, "secret", str(missing))
        else:
            report = await self._report(journey, _Run(now, trace_id, secrets, on_step))
        return result_of(journey, self.region, now, time.monotonic() - began, report, trace_id), report

    async def _report(self, journey: Journey, run: "_Run") -> Report:
        variables = self.environment.variables_of(journey)
        run = replace(run, on_step=_discreet(run.on_step, Masker([*run.secrets.values(), *variables.values()])))
        values = Values(dict(journey.variables), run.secrets, variables, run.now, run.trace_id[:_UNIQUE])
        match journey.flow:
            case APIFlow() as flow:
                report = await walk(flow, self._walk(journey, values, run), self.open_session)
            case BrowserFlow() as flow:
                try:
                    task = self._task(journey, flow, values, run)
                except Unset as unset:
                    return Report(Outcome.FAULT, "variable", unset_detail(unset.reference))
                report = await self.run_browser(task, run.on_step)
        gained = [text for name, text in values.names.items() if isinstance(text, str) and is_secret_name(name)]
        return _masked(report, Masker([*run.secrets.values(), *variables.values(), *gained]))

    def _walk(self, journey: Journey, values: Values, run: "_Run") -> Walk:
        return Walk(
            values,
            self.resolve,
            journey.timeout.total_seconds(),
            lambda: self._traceparent(run.trace_id),
            run.on_step,
        )

    def _task(self, journey: Journey, flow: BrowserFlow, values: Values, run: "_Run") -> BrowserTask:
        return BrowserTask(
            journey=journey.name,
            file=(self.workspace / flow.file).resolve(),
            function=flow.function,
            started_at=run.now,
            trace_id=run.trace_id,
            traceparent=self._traceparent(run.trace_id),
            timeout_seconds=max(journey.timeout.total_seconds(), _HEADED_SECONDS if self.is_headed else 0.0),
            secrets=run.secrets,
            variables=dict(journey.variables),
            base_url=values.text(flow.base_url),
            resolve=self.resolve,
            keeps_artifacts=flow.keeps_artifacts,
            is_headed=self.is_headed,
        )

    def _traceparent(self, trace_id: str) -> str:
        """W3C Trace Context: a new span of the run's trace, sampled."""
        return f"00-{trace_id}-{self.random_bytes(_SPAN_BYTES).hex()}-01"


@dataclass(frozen=True, slots=True)
class _Run:
    now: datetime
    trace_id: str
    secrets: Mapping[str, str]
    on_step: OnStep


def check_of(journey: Journey, runner: Runner) -> Check:
    """The journey for a prober's engine. A browser is heavy: few of them run at once."""

    async def run(now: datetime) -> CheckResult:
        result, _ = await runner.run(journey, now)
        return result

    return Check(
        name=journey.name,
        kind=CheckKind.JOURNEY,
        every=journey.every,
        timeout=journey.timeout,
        regions=journey.regions,
        run=run,
        is_heavy=isinstance(journey.flow, BrowserFlow),
    )


def result_of(
    journey: Journey, region: str, started_at: datetime, seconds: float, report: Report, trace_id: str
) -> CheckResult:
    """What is reported of a run. A fault says nothing about the target: it has no sample of success."""
    return CheckResult(
        check=journey.name,
        kind=CheckKind.JOURNEY,
        region=region,
        started_at=started_at,
        duration_seconds=seconds,
        outcome=report.outcome,
        reason=report.reason,
        detail=report.detail,
        timings=report.timings,
        samples=_samples(seconds, report),
        trace_id=trace_id,
    )


def _samples(seconds: float, report: Report) -> tuple[CheckSample, ...]:
    if report.outcome is Outcome.FAULT:
        return ()
    steps = (
        CheckSample(names.JOURNEY_STEP_SECONDS, each.seconds, ((names.STEP, each.name),)) for each in report.timings
    )
    success = 1.0 if report.outcome is Outcome.OK else 0.0
    return CheckSample(names.JOURNEY_SUCCESS, success), CheckSample(names.JOURNEY_SECONDS, seconds), *steps


def _discreet(on_step: OnStep, masker: Masker) -> OnStep:
    """Names of steps may hold what must not show, too."""
    return lambda event: on_step(replace(event, name=_plain(masker.text(event.name))))


def _masked(report: Report, masker: Masker) -> Report:
    """Without secrets, and without what would be a command to a terminal."""
    detail = _plain(masker.text(report.detail))
    return replace(
        report,
        detail=detail if len(detail) <= DETAIL_LENGTH else f"{detail[: DETAIL_LENGTH - 1]}…",
        timings=tuple(Timing(_plain(masker.text(each.name)), each.seconds) for each in report.timings),
        failed_step=_plain(masker.text(report.failed_step)),
        where=_plain(report.where),
        output="\n".join(_plain(line) for line in masker.text(report.output).split("\n")),
    )


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "·" for character in text)
