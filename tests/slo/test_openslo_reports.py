"""What is said of every OpenSLO file that is wrong: inputs in `openslo_refusals.py`, answers in `openslo_reports/`."""

import os
from pathlib import Path

import pytest

from controlplane.problem_report import as_text
from controlplane.problems import Problem
from controlplane.specfile import SourceFile
from flyball.examining import examine
from tests.slo.openslo_refusals import CASES

REPORTS = Path(__file__).parent / "openslo_reports"


def report_path(name: str) -> Path:
    return REPORTS / f"{name.replace(' ', '-')}.txt"


def problems_of(name: str) -> tuple[Problem, ...]:
    return examine([SourceFile(f"{name.replace(' ', '-')}.yaml", CASES[name].encode())]).problems


@pytest.mark.parametrize("name", CASES)
def test_golden_report_of(name: str) -> None:
    said = as_text(problems_of(name), {f"{name.replace(' ', '-')}.yaml": CASES[name].encode()})
    if os.environ.get("FLYBALL_GOLDEN"):
        report_path(name).write_text(said)
    assert said == report_path(name).read_text()


@pytest.mark.parametrize("name", CASES)
def test_every_problem_names_its_line_and_field(name: str) -> None:
    problems = problems_of(name)
    assert problems
    lines = CASES[name].splitlines()
    for problem in problems:
        assert 1 <= problem.line <= len(lines)
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
        assert problem.rule
        assert problem.field or problem.rule == "not-a-mapping"


def test_golden_reports_have_no_strays() -> None:
    assert {path.name for path in REPORTS.iterdir()} == {report_path(name).name for name in CASES}
