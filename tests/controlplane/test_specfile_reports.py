"""What is said of every kind of broken file, word for word: inputs in `bad_inputs.py`, answers in `reports/`."""

import os
from pathlib import Path

import pytest

from tests.controlplane.bad_inputs import CASES
from tests.controlplane.specimens import read_text, report

REPORTS = Path(__file__).parent / "reports"


def report_path(name: str) -> Path:
    return REPORTS / f"{name.replace(' ', '-')}.txt"


@pytest.mark.parametrize("name", CASES)
def test_golden_report_of(name: str) -> None:
    said = report(CASES[name], f"{name.replace(' ', '-')}.yaml")
    if os.environ.get("FLYBALL_GOLDEN"):
        report_path(name).write_text(said)
    assert said == report_path(name).read_text()


@pytest.mark.parametrize("name", CASES)
def test_every_problem_lies_inside_the_file(name: str) -> None:
    problems = read_text(CASES[name]).problems
    assert problems
    for problem in problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.length >= 1
        assert problem.rule


def test_golden_reports_have_no_strays() -> None:
    assert {path.name for path in REPORTS.iterdir()} == {report_path(name).name for name in CASES}
