"""Problems with the line that they are about and a caret under the place, as compilers show them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from controlplane.problems import Problem, with_secrets

_WIDEST: Final = 160


@dataclass(frozen=True, slots=True)
class ToldProblem:
    """A problem; `line` and `caret` are empty when the file is not at hand."""

    problem: Problem
    line: str
    caret: str


def told_problems(problems: Iterable[Problem], sources: Mapping[str, bytes]) -> list[ToldProblem]:
    """Each problem with its line. Columns count characters; tabs count as one, as they are shown.

    Lines that hold a secret are not shown.
    """
    lines = {path: content.decode("utf-8", "replace").splitlines() for path, content in sources.items()}
    listed = list(problems)
    hidden = with_secrets(listed)
    return [_told(each, [] if (each.path, each.line) in hidden else lines.get(each.path, [])) for each in listed]


def _told(problem: Problem, lines: list[str]) -> ToldProblem:
    if not 1 <= problem.line <= len(lines):
        return ToldProblem(problem, "", "")
    line = lines[problem.line - 1].replace("\t", " ")
    column = min(max(problem.column, 1), len(line) + 1) - 1
    start = max(column - _WIDEST // 2, 0) if len(line) > _WIDEST else 0
    shown = line[start : start + _WIDEST]
    length = max(min(problem.length, len(shown) - (column - start)), 1)
    return ToldProblem(problem, shown, " " * (column - start) + "^" * length)
