"""Problems as people, programs and GitHub read them."""

import json

import pytest

from controlplane.problem_report import as_github, as_json, as_text, summary
from controlplane.problems import Problem, Severity

FILE = b"a:\n\tb: \xe6\xbc\xa2\xe5\xad\x97 e\xcc\x81 z\n\n" + b"x" * 100 + b" here " + b"y" * 100
SOURCES = {"a.yaml": FILE}


def problem(line: int = 1, column: int = 1, **rest: object) -> Problem:
    return Problem("a.yaml", line, column, "spec.a", "is wrong", **rest)  # type: ignore[arg-type]


def test_no_problems_are_no_text() -> None:
    assert as_text([], {}) == ""
    assert as_json([]) == "[]\n"
    assert as_github([]) == ""


def test_a_problem_names_its_rule_in_every_format() -> None:
    found = [problem(rule="odd", severity=Severity.WARNING)]
    assert as_text(found, SOURCES).splitlines()[0] == "a.yaml:1:1: warning: spec.a: is wrong  [odd]"
    assert json.loads(as_json(found))[0]["rule"] == "odd"
    assert ",title=odd::" in as_github(found)


def test_the_caret_stands_under_the_place_behind_tabs_and_wide_characters() -> None:
    assert as_text([problem(2, 11, length=1)], SOURCES) == (
        "a.yaml:2:11: spec.a: is wrong\n"
        "  2 |     b: 漢字 e\u0301 z\n"
        "    |               ^\n"
        "\n1 problem in 1 file\n"
    )  # fmt: skip


def test_wide_characters_are_underlined_twice() -> None:
    assert "    |        ^^^^\n" in as_text([problem(2, 5, length=2)], SOURCES)


def test_a_long_line_is_cut_around_the_place() -> None:
    said = as_text([problem(4, 102, length=4)], SOURCES)
    shown, carets = said.splitlines()[1:3]
    assert shown.startswith("  4 | …xxx")
    assert shown[carets.index("^") : carets.index("^") + 4] == "here"
    assert len(shown) < 180


def test_lines_that_are_empty_or_unknown_are_left_out() -> None:
    assert as_text([problem(3)], SOURCES) == "a.yaml:3:1: spec.a: is wrong\n\n1 problem in 1 file\n"
    assert as_text([problem(99)], SOURCES) == "a.yaml:99:1: spec.a: is wrong\n\n1 problem in 1 file\n"
    assert as_text([problem()], {}) == "a.yaml:1:1: spec.a: is wrong\n\n1 problem in 1 file\n"


def test_a_hint_has_its_own_line_and_warnings_say_so() -> None:
    assert as_text([problem(hint="do it", severity=Severity.WARNING)], SOURCES) == (
        "a.yaml:1:1: warning: spec.a: is wrong\n  1 | a:\n    | ^\n    = do it\n\n1 problem in 1 file (1 warning)\n"
    )


def test_colour_comes_only_when_asked_for() -> None:
    assert "\x1b" not in as_text([problem(hint="do it")], SOURCES)
    coloured = as_text([problem(hint="do it")], SOURCES, colour=True)
    assert "\x1b[1m\x1b[31m^\x1b[0m" in coloured


def test_what_users_wrote_cannot_command_the_terminal() -> None:
    evil = Problem("a\x1b.yaml", 1, 1, "f\x9b", "m\x1b[2J\u202e", hint="h\x07")
    assert not {"\x1b", "\x9b", "\u202e", "\x07"} & set(as_text([evil], {"a\x1b.yaml": b"\x1b[31m x \x9b"}))
    assert "\x1b" not in as_github([evil])


def test_problems_come_in_order_and_once() -> None:
    said = as_text([problem(2), problem(1), problem(2)], {})
    assert [line for line in said.splitlines() if line.startswith("a.yaml")] == [
        "a.yaml:1:1: spec.a: is wrong",
        "a.yaml:2:1: spec.a: is wrong",
    ]


def test_the_summary_counts() -> None:
    assert summary([problem(), Problem("b", 1, 1, "", "m"), problem(2)]) == "3 problems in 2 files"


def test_json_has_every_field() -> None:
    (found,) = json.loads(as_json([problem(3, 4, hint="h", rule="r", length=5)]))
    assert found == {
        "path": "a.yaml", "line": 3, "column": 4, "length": 5, "field": "spec.a", "message": "is wrong",
        "severity": "error", "rule": "r", "hint": "h",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (problem(3, 4, rule="r", length=5), "::error file=a.yaml,line=3,col=4,endColumn=9,title=r::spec.a: is wrong\n"),
        (
            Problem("a,b:c%.yaml", 1, 1, "", "50% of\r\n'a,b:c'", severity=Severity.WARNING),
            "::warning file=a%2Cb%3Ac%25.yaml,line=1,col=1,endColumn=2,title=flyball check::50%25 of%0D%0A'a,b:c'\n",
        ),
        (
            problem(hint="do it"),
            "::error file=a.yaml,line=1,col=1,endColumn=2,title=flyball check::spec.a: is wrong%0Ado it\n",
        ),
    ],
)
def test_github_commands_are_escaped(found: Problem, line: str) -> None:
    assert as_github([found]) == line
