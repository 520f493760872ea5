"""What is made of the words of a journey's process, whatever they are."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.check import DETAIL_LENGTH, MAX_TIMINGS, Outcome
from synthetics.journeys.browser_report import Ended, Journal, report_of
from synthetics.journeys.ports import BrowserTask, Report, StepEvent, no_progress
from synthetics.masking import Masker

TASK = BrowserTask("shop", Path("/t.py"), "", datetime(2026, 1, 1, tzinfo=UTC), "ab", "", 30.0)
MASKER = Masker(["s3cret"])


def journal(tmp_path: Path, *events: object, events_seen: list[StepEvent] | None = None) -> Journal:
    path = tmp_path / "journal"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    found = Journal(path, no_progress if events_seen is None else events_seen.append)
    found.close(100.0)
    return found


def reported(found: Journal, ended: Ended | None) -> Report:
    return report_of(TASK, ended, found, MASKER)


def begin(name: str, at: float = 90.0) -> dict[str, object]:
    return {"event": "begin", "step": name, "at": at}


def end(name: str, *, ok: bool = True) -> dict[str, object]:
    return {"event": "end", "step": name, "seconds": 1.5, "ok": ok}


DONE = Ended("", 0, 0, "")


def test_a_run_that_is_cut_off_tells_the_step_that_went_on(tmp_path: Path) -> None:
    seen: list[StepEvent] = []
    found = journal(tmp_path, begin("one"), end("one"), begin("two", 96.0), events_seen=seen)
    report = reported(found, Ended("timeout", None, 0, "says s3cret"))
    assert (report.outcome, report.reason, report.failed_step) == (Outcome.FAILED, "timeout", "two")
    assert report.detail == "step `two`: it was not done within 30 s"
    assert [(timing.name, timing.seconds) for timing in report.timings] == [("one", 1.5), ("two", 4.0)]
    assert report.output == "says ***"
    assert seen[-1] == StepEvent("two", 4.0, ok=False)


@pytest.mark.parametrize(
    ("ended", "outcome", "reason", "detail"),
    [
        (None, Outcome.FAULT, "crash", "the process that watches over the journey ended early"),
        (DONE, Outcome.FAULT, "crash", "the journey's process ended without a result"),
        (Ended("", -11, 0, ""), Outcome.FAULT, "crash", "the journey's process ended by signal 11"),
        (Ended("memory", None, 0, ""), Outcome.FAILED, "memory", "it took more memory than a journey may"),
    ],
)
def test_without_a_word_of_its_own_its_end_speaks(
    ended: Ended | None, outcome: Outcome, reason: str, detail: str, tmp_path: Path
) -> None:
    report = reported(journal(tmp_path), ended)
    assert (report.outcome, report.reason, report.detail) == (outcome, reason, detail)


def test_what_a_journey_said_counts_before_how_its_process_ended(tmp_path: Path) -> None:
    done = journal(tmp_path, begin("one"), end("one"), {"event": "outcome", "outcome": "ok"})
    assert reported(done, Ended("timeout", None, 0, "")).outcome is Outcome.OK  # its browser was slow to go
    late = journal(tmp_path, {"event": "outcome", "outcome": "failed", "reason": "timeout", "where": "t.py:3"})
    report = reported(late, DONE)
    assert (report.reason, report.detail, report.where) == ("timeout", "it was not done within 30 s", "t.py:3")


def test_steps_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    found = journal(
        tmp_path, *[each for _ in range(3) for each in (begin("a"), end("a"))], {"event": "outcome", "outcome": "ok"}
    )
    assert [timing.name for timing in reported(found, DONE).timings] == ["a", "a 2", "a 3"]


def test_texts_are_masked_and_bounded(tmp_path: Path) -> None:
    failed = {"event": "outcome", "outcome": "failed", "reason": "step", "detail": "s3cret " * 500, "where": "t.py:3"}
    report = reported(journal(tmp_path, begin("the s3cret"), end("the s3cret", ok=False), failed), DONE)
    assert len(report.detail) == DETAIL_LENGTH
    assert "s3cret" not in repr(report)
    assert (report.failed_step, report.where) == ("the ***", "t.py:3")


@given(st.lists(st.one_of(
    st.binary(max_size=60),
    st.builds(lambda **event: json.dumps(event).encode(), event=st.sampled_from(["begin", "end", "outcome", "?"]),
              step=st.sampled_from(["a", "b", "c"]), at=st.floats(0, 200), seconds=st.floats(0, 9),
              ok=st.booleans(), outcome=st.sampled_from(["ok", "failed", "fault", "great"])),
), max_size=150))  # fmt: skip
def test_whatever_is_in_a_journal_a_report_comes_of_it(lines: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "journal"
        path.write_bytes(b"\n".join(lines))
        found = Journal(path, no_progress)
        found.close(100.0)
    report = reported(found, DONE)
    assert len(report.timings) <= MAX_TIMINGS
    assert len({timing.name for timing in report.timings}) == len(report.timings)
    assert all(timing.seconds >= 0 for timing in report.timings)
