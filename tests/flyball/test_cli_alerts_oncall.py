"""`flyball alerts oncall`, on a workspace with schedules."""

import json
from pathlib import Path

import pytest
import typer
from icalendar import Calendar
from typer.testing import CliRunner

from flyball.cli.alerts_oncall import oncall

SCHEDULES = """\
apiVersion: flyball.dev/v1
kind: Schedule
metadata: {name: sre}
spec:
  timeZone: Europe/Berlin
  rotations: [{name: weekly, participants: [ann, ben], start: 2026-01-05T09:00}]
  overrides: [{from: 2026-12-24T09:00, until: 2026-12-27T09:00, who: eve}]
---
apiVersion: flyball.dev/v1
kind: Schedule
metadata: {name: days}
spec:
  timeZone: America/New_York
  rotations:
    - name: weekly
      participants: [zoe]
      start: 2026-01-05T09:00
      only: [{days: [mon-fri], from: "09:00", to: "17:00"}]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "schedules.yaml").write_text(SCHEDULES)
    return tmp_path


def run(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(oncall)
    done = CliRunner().invoke(app, [str(each) for each in arguments])
    return done.exit_code, done.output


def test_it_says_who_is_on_call_by_each_schedule_and_who_is_next(workspace: Path) -> None:
    code, text = run("", workspace, "--at", "2026-12-22T15:00Z")
    assert text == (
        "SCHEDULE ON CALL UNTIL            THEN\n"
        "days     zoe     2026-12-22 17:00 nobody\n"
        "sre      ann     2026-12-24 09:00 eve\n"
    )
    assert code == 0
    assert run(workspace, "--at", "2026-12-22T15:00Z") == (0, text)


def test_it_fails_while_nobody_is_on_call(workspace: Path) -> None:
    code, text = run("days", workspace, "--at", "2026-12-25T18:00", "--days", 3)
    assert text.splitlines() == [
        "FROM                 UNTIL                ON CALL BY",
        "Fri 2026-12-25 18:00 Mon 2026-12-28 09:00 nobody",
        "Mon 2026-12-28 09:00 Mon 2026-12-28 17:00 zoe     weekly",
        "Mon 2026-12-28 17:00 Mon 2026-12-28 18:00 nobody",
        "nobody is on call",
    ]
    assert code == 1


def test_a_time_without_a_zone_is_by_the_clocks_of_the_schedule(workspace: Path) -> None:
    found = json.loads(run("", workspace, "--at", "2026-12-23T12:00", "--json")[1])
    assert [(each["schedule"], each["at"]) for each in found] == [
        ("days", "2026-12-23T17:00:00+00:00"),
        ("sre", "2026-12-23T11:00:00+00:00"),
    ]
    found = json.loads(run("sre", workspace, "--at", "2026-12-24T09:00", "--json")[1])
    assert found["turns"][0] == {
        "start": "2026-12-24T08:00:00+00:00",
        "end": "2026-12-27T08:00:00+00:00",
        "on_call": "eve",
        "by": "override",
    }


def test_turns_are_a_calendar_file(workspace: Path) -> None:
    code, text = run("sre", workspace, "--at", "2026-12-23T12:00", "--days", 10, "--ical")
    names = [str(each["SUMMARY"]) for each in Calendar.from_ical(text).walk("VEVENT")]
    assert (code, names) == (0, ["ann: sre", "eve: sre", "ann: sre", "ben: sre"])


def test_what_is_not_there_is_said(workspace: Path, tmp_path: Path) -> None:
    assert run("sri", workspace) == (1, "no Schedule is named `sri`: did you mean `sre`?\n")
    code, text = run("sre", workspace, "--at", "tomorrow")
    assert code == 2
    assert "`tomorrow` is no time" in text
    (workspace / "schedules.yaml").write_text(SCHEDULES.replace("Europe/Berlin", "Europe/Berlim"))
    code, text = run("sre", workspace)
    assert code == 1
    assert "schedules.yaml:5:13" in text
    (workspace / "schedules.yaml").unlink()
    assert "declares no Schedule" in run("", workspace)[1]
