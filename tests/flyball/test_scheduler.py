"""Jobs: what fails or overruns is counted and told, and takes no other with it."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from controlplane import conventions
from controlplane.adapters.clock import SystemClock
from controlplane.ports import LeaseLost, Transient
from controlplane.store import SqlStore, migrate, open_store
from flyball.leadership import Leadership
from flyball.scheduler import Job, JobRunner, Outcome, Scheduler, Turn
from flyball.telemetry import Metrics, Tracing, own_metrics
from tests.flyball.running import eventually

SOON = timedelta(milliseconds=20)


class Parts:
    """A runner on a real lease."""

    def __init__(self, store: SqlStore) -> None:
        self.metrics: Metrics = own_metrics()
        self.clock = SystemClock()
        self.leadership = Leadership(store.leases, holder="me", ttl=timedelta(seconds=30), metrics=self.metrics)
        tracing = Tracing(endpoint="", instance="test")
        self.runner = JobRunner(clock=self.clock, leadership=self.leadership, metrics=self.metrics, tracing=tracing)

    def count(self, job: str, outcome: Outcome) -> float:
        labels = {"task": job, "outcome": outcome.value}
        return self.metrics.registry.get_sample_value(conventions.JOB_RUNS, labels) or 0


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    url = f"sqlite:///{tmp_path}/f.db"
    migrate(url)
    store = open_store(url)
    yield Parts(store)
    store.close()


def fail(turn: Turn) -> None:
    raise RuntimeError(f"broken at {turn.now.year}")


def test_a_failing_job_is_counted_logged_once_a_turn_and_retried_while_others_go_on(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    good = Job("good", SOON, lambda turn: None, leader_only=False)
    bad = Job("bad", SOON, fail, leader_only=False)
    scheduler = Scheduler([bad, good], parts.runner)
    scheduler.start(parts.clock.now())
    eventually(lambda: parts.count("bad", Outcome.FAILED) >= 3 and parts.count("good", Outcome.OK) >= 3)
    assert scheduler.stop(10)
    logged = [record for record in caplog.records if record.getMessage() == "job.failed"]
    assert len(logged) == parts.count("bad", Outcome.FAILED)
    assert logged[0].__dict__["job"] == "bad"
    assert parts.metrics.registry.get_sample_value(conventions.JOB_LAST_SUCCESS, {"task": "bad"}) is None
    assert (parts.metrics.registry.get_sample_value(conventions.JOB_LAST_SUCCESS, {"task": "good"}) or 0) > 0


def test_an_outside_that_stays_away_is_told_once_and_when_it_is_back(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    answers = iter(["away", "away", "locked", "away", None, None, "away"])

    def ask(turn: Turn) -> None:
        answer = next(answers)
        if answer:
            raise Transient(answer)

    caplog.set_level("INFO")
    job = Job("asking", SOON, ask, leader_only=False)
    for _ in range(7):
        parts.runner.run(job)
    told = [
        (record.getMessage(), record.__dict__.get("error")) for record in caplog.records if "job" in record.__dict__
    ]
    assert told == [
        ("job.failed", "away"),
        ("job.failed", "locked"),
        ("job.failed", "away"),
        ("job.recovered", None),
        ("job.failed", "away"),
    ]
    assert parts.count("asking", Outcome.FAILED) == 5


def test_a_job_that_overruns_is_counted_and_never_runs_twice_at_once(parts: Parts) -> None:
    let_go, running, most = threading.Event(), [0], [0]

    def slow(turn: Turn) -> None:
        del turn
        running[0] += 1
        most[0] = max(most[0], running[0])
        let_go.wait(30)
        running[0] -= 1

    scheduler = Scheduler([Job("slow", SOON, slow, leader_only=False)], parts.runner)
    scheduler.start(parts.clock.now())
    eventually(lambda: parts.count("slow", Outcome.OVERRUN) >= 2)
    let_go.set()
    eventually(lambda: parts.count("slow", Outcome.OK) >= 2)
    scheduler.stop(10)
    assert most == [1]


def test_a_job_whose_turns_may_be_long_overruns_without_a_word(parts: Parts) -> None:
    job = Job("ladder", SOON, lambda turn: None, leader_only=False, may_be_long=True)
    parts.runner.overrun(job)
    assert parts.count("ladder", Outcome.OVERRUN) == 0


def test_stopping_waits_for_a_running_job_but_not_for_ever(parts: Parts) -> None:
    let_go, begun = threading.Event(), threading.Event()

    def hang(turn: Turn) -> None:
        del turn
        begun.set()
        let_go.wait(30)

    scheduler = Scheduler([Job("hang", SOON, hang, leader_only=False)], parts.runner)
    scheduler.start(parts.clock.now())
    assert begun.wait(10)
    assert scheduler.stop(0.05) is False
    let_go.set()
    assert parts.runner.wait_until_idle(10)


def test_a_job_for_the_leader_is_skipped_on_followers(parts: Parts) -> None:
    turns: list[Turn] = []
    job = Job("lead", SOON, turns.append, leader_only=True)
    assert parts.runner.run(job).outcome is Outcome.SKIPPED
    parts.leadership.renew()
    assert parts.runner.run(job).outcome is Outcome.OK
    (turn,) = turns
    assert turn.lease is not None
    assert (parts.count("lead", Outcome.SKIPPED), parts.count("lead", Outcome.OK)) == (1, 1)


def test_a_slow_job_of_the_leader_runs_soon_after_leadership_was_won(parts: Parts) -> None:
    slow = Job("slow", timedelta(hours=1), lambda turn: None, leader_only=True)
    scheduler = Scheduler([slow], parts.runner)
    scheduler.start(parts.clock.now())
    eventually(lambda: parts.count("slow", Outcome.SKIPPED) >= 1)
    parts.leadership.start()
    try:
        eventually(lambda: parts.count("slow", Outcome.OK) == 1)
    finally:
        assert scheduler.stop(10)
        parts.leadership.stop()
    assert parts.count("slow", Outcome.OK) == 1  # and then not before its time


def test_a_job_that_finds_the_lease_lost_ends_leadership_and_is_no_failure(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(turn: Turn) -> None:
        raise LeaseLost(str(turn.lease))

    parts.leadership.renew()
    assert parts.runner.run(Job("lead", SOON, refused, leader_only=True)).outcome is Outcome.SKIPPED
    assert parts.leadership.lease is None
    assert [record.levelno for record in caplog.records if record.getMessage() == "leadership.lost"] == [
        logging.WARNING
    ]


def test_durations_carry_the_trace_they_come_from(parts: Parts) -> None:
    parts.runner.run(Job("traced", SOON, lambda turn: None, leader_only=False))
    body, content_type = parts.metrics.exposition("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    lines = [line for line in body.decode().splitlines() if line.startswith(f"{conventions.JOB_SECONDS}_bucket")]
    assert any("# {trace_id=" in line for line in lines)
    plain, content_type = parts.metrics.exposition("*/*")
    assert content_type.startswith("text/plain")
    assert b"trace_id" not in plain


def test_counters_show_before_the_first_failure(parts: Parts) -> None:
    scheduler = Scheduler([Job("quiet", timedelta(hours=1), lambda turn: None, leader_only=False)], parts.runner)
    scheduler.start(parts.clock.now())
    scheduler.stop(10)
    for outcome in Outcome:
        labels = {"task": "quiet", "outcome": outcome.value}
        assert parts.metrics.registry.get_sample_value(conventions.JOB_RUNS, labels) is not None
