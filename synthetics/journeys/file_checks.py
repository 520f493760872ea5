"""Whether the test files that browser journeys name are there, are Python, and have the function."""

import ast
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from controlplane.model.source import SourcePosition
from controlplane.problems import Problem
from controlplane.specfile import did_you_mean
from synthetics.journeys.model import BrowserFlow, Journey

RULE: Final = "journey"
MOST_BYTES: Final = 1024 * 1024

ReadFile = Callable[[str], bytes]
"""The content of a file by its path from the workspace's root, `MOST_BYTES` and one more at most; raises OSError."""


def file_problems(journeys: Iterable[Journey], read: ReadFile) -> list[Problem]:
    """What is wrong with them, told where the journeys name them. Nothing of a file is run."""
    flows = [each.flow for each in journeys if isinstance(each.flow, BrowserFlow)]
    return [problem for flow in flows for problem in _problems(flow, read)]


def _problems(flow: BrowserFlow, read: ReadFile) -> Iterator[Problem]:
    assert flow.file_source is not None
    assert flow.function_source is not None
    try:
        content = read(flow.file)
    except OSError as error:
        hint = "paths begin at the workspace's root"
        yield _problem(flow.file_source, "file", f"cannot be read: {error.strerror}", hint)
        return
    if len(content) > MOST_BYTES:
        yield _problem(flow.file_source, "file", f"is larger than {MOST_BYTES:,} bytes")
        return
    try:
        names = _tests_in(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        yield _problem(flow.file_source, "file", f"is no Python: {getattr(error, 'msg', None) or error}{where}")
        return
    if flow.function and flow.function not in names:
        meant = did_you_mean(flow.function, names)
        message = f"{flow.file} has no function `{flow.function}`" + (f", did you mean `{meant}`?" if meant else "")
        yield _problem(flow.function_source, "function", message)
    elif not flow.function and len(names) != 1:
        hint = f"name one as `function`: {', '.join(names[:5])}" if names else "begin its name with `test`"
        yield _problem(flow.file_source, "file", f"has {len(names)} tests, a journey is one", hint)


def _tests_in(content: bytes) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its texts' escapes: they are told when it runs
        tree = ast.parse(content)
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [each.name for each in functions if each.name.startswith("test")]


def _problem(position: SourcePosition, field: str, message: str, hint: str = "") -> Problem:
    return Problem.at(position, f"spec.browser.{field}", message, hint=hint, rule=RULE)
