"""Fires the jobs. One that fails or overruns is counted, logged and retried at its next turn; the others go on."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from opentelemetry import trace

from controlplane.ports import Clock, HeldLease, LeaseLost, Permanent, Transient
from flyball.leadership import Leadership
from flyball.telemetry import Metrics, Tracing, exemplar_of

_SPARE_THREADS: Final = 2
_ASK_AGAIN: Final = timedelta(seconds=2)  # of jobs that only the leader does, while somebody else leads
log = logging.getLogger(__name__)


class Outcome(Enum):
    """How a turn ended."""

    OK = "ok"
    FAILED = "failed"
    OVERRUN = "overrun"  # the turn was due while the one before it still ran
    SKIPPED = "skipped"  # another replica leads


@dataclass(frozen=True, slots=True)
class Turn:
    """What a job is given: the time, and the lease when it is one for the leader."""

    now: datetime
    lease: HeldLease | None


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again. `run` returns what it did, for logs and for `flyball run --once --json`.

    `may_be_long`: some turns take many times as long as `every`; that the next ones are left out is no news.
    """

    name: str
    every: timedelta
    run: Callable[[Turn], object]
    leader_only: bool
    may_be_long: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """How one turn ended, and what the job said it did."""

    outcome: Outcome
    result: object = None
    error: str = ""


class JobRunner:
    """Runs single turns: leadership, span, metrics and log are the same for every job. Safe between threads."""

    def __init__(self, *, clock: Clock, leadership: Leadership, metrics: Metrics, tracing: Tracing) -> None:
        self._clock = clock
        self._leadership = leadership
        self._metrics = metrics
        self._tracing = tracing
        self._troubles: dict[str, str] = {}  # what a job failed with last: told when it changes, not every two seconds
        self._running = 0
        self._idle = threading.Condition()

    def now(self) -> datetime:
        """The time that turns are given."""
        return self._clock.now()

    def expect(self, job: Job) -> None:
        """Show its counters from the start: a counter that is born with its first failure hides it from `rate`."""
        for outcome in Outcome:
            self._metrics.job_runs.labels(job.name, outcome.value)

    def run(self, job: Job) -> Ran:
        """One turn; nothing that a job raises comes out."""
        lease = self._leadership.lease if job.leader_only else None
        if job.leader_only and lease is None:
            return self._counted(job, Ran(Outcome.SKIPPED))
        with self._idle:
            self._running += 1
        try:
            with self._tracing.span(f"job {job.name}", **{"flyball.job": job.name}) as span:
                return self._timed(job, Turn(self._clock.now(), lease), span)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def overrun(self, job: Job) -> None:
        """Count a turn that could not start, unless that is how the job is."""
        if job.may_be_long:
            return
        self._counted(job, Ran(Outcome.OVERRUN))
        log.warning("job.overrun", extra={"job": job.name, "every_seconds": job.every.total_seconds()})

    def wait_until_idle(self, patience_seconds: float) -> bool:
        """Wait for running turns to end; False when one still runs."""
        with self._idle:
            return self._idle.wait_for(lambda: self._running == 0, patience_seconds)

    def _timed(self, job: Job, turn: Turn, span: trace.Span) -> Ran:
        started = time.monotonic()
        ran = self._caught(job, turn, span)
        span.set_attribute("flyball.outcome", ran.outcome.value)
        seconds = time.monotonic() - started
        self._metrics.job_seconds.labels(job.name).observe(seconds, exemplar=exemplar_of(span))
        if ran.outcome is Outcome.OK:
            self._metrics.job_last_success.labels(job.name).set(self._clock.now().timestamp())
        return self._counted(job, ran)

    def _caught(self, job: Job, turn: Turn, span: trace.Span) -> Ran:
        try:
            ran = Ran(Outcome.OK, job.run(turn))
            if self._troubles.pop(job.name, None) is not None:
                log.info("job.recovered", extra={"job": job.name})
            return ran
        except LeaseLost:
            if turn.lease:
                self._leadership.lost(turn.lease)
            return Ran(Outcome.SKIPPED, error="the lease was lost")
        except (Transient, Permanent) as error:  # the outside failed, in words meant for people
            if self._troubles.get(job.name) != str(error):
                log.warning("job.failed", extra={"job": job.name, "error": str(error)})
            self._troubles[job.name] = str(error)
            return _failed(error, span)
        except Exception as error:  # the one place that catches everything: a job takes no other with it
            log.exception("job.failed", extra={"job": job.name})
            return _failed(error, span)

    def _counted(self, job: Job, ran: Ran) -> Ran:
        self._metrics.job_runs.labels(job.name, ran.outcome.value).inc()
        return ran


def _failed(error: Exception, span: trace.Span) -> Ran:
    span.record_exception(error)
    span.set_status(trace.StatusCode.ERROR, type(error).__name__)
    return Ran(Outcome.FAILED, error=f"{type(error).__name__}: {error}")


class Scheduler:
    """All jobs of this process, each at its own pace and never twice at once. The first turn comes at once."""

    def __init__(self, jobs: Sequence[Job], runner: JobRunner) -> None:
        self._jobs = {job.name: job for job in jobs}
        self._runner = runner
        self._engine = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(len(jobs) + _SPARE_THREADS)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._engine.add_listener(self._on_overrun, EVENT_JOB_MAX_INSTANCES)

    def start(self, now: datetime) -> None:
        """Begin to fire."""
        for job in self._jobs.values():
            self._runner.expect(job)
            self._engine.add_job(
                self._fire,
                "interval",
                args=[job],
                seconds=job.every.total_seconds(),
                id=job.name,
                next_run_time=now,
            )
        self._engine.start()

    def _fire(self, job: Job) -> None:
        """One turn. A slow job that was skipped asks again soon, so that who leads next need not wait for long."""
        ran = self._runner.run(job)
        if ran.outcome is Outcome.SKIPPED and job.every > _ASK_AGAIN:
            with suppress(JobLookupError):  # it ends
                self._engine.modify_job(job.name, next_run_time=self._runner.now() + _ASK_AGAIN)

    def stop(self, patience_seconds: float) -> bool:
        """Fire no more and wait for running turns; False when one did not end in time."""
        self._engine.shutdown(wait=False)
        return self._runner.wait_until_idle(patience_seconds)

    def _on_overrun(self, event: JobSubmissionEvent) -> None:
        job = self._jobs.get(event.job_id)
        if job:
            self._runner.overrun(job)
