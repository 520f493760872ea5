"""The list of commands that runbooks may run. It lies outside of the workspace: who edits runbooks does not edit it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

import re2
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from alerts.reporting import Report
from controlplane.conventions import API_VERSION
from controlplane.problems import Problem, in_order
from controlplane.specfile import Document, Kind, SourceFile, read

RULE: Final = "command-list"
MOST_ARGUMENTS: Final = 32
LONGEST: Final = timedelta(minutes=10)
SHELLS: Final = frozenset(
    ("ash", "bash", "busybox", "csh", "dash", "env", "fish", "ksh", "mksh", "nsenter", "pwsh", "sh", "tcsh", "xargs",
     "xonsh", "zsh")
)  # fmt: skip
"""Programs that run what their arguments say."""
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LENGTH: Final = re.compile(r"([0-9]{1,4})(s|m)")
_OURS: Final = "FLYBALL_"
_FOR_RUNBOOKS: Final = "FLYBALL_RUNBOOK_"
Line = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, defer_build=True, alias_generator=to_camel, validate_by_alias=True
    )


class CommandPart(_Part):
    """A command."""

    name: Line = Field(description="By which steps call it.")
    run: Annotated[list[Line], Field(min_length=1, max_length=MOST_ARGUMENTS)] = Field(
        description="The program's absolute path, and the arguments that come first, as they are."
    )
    args: Annotated[list[Line], Field(max_length=MOST_ARGUMENTS)] = Field(
        default_factory=list,
        description="For each argument that a step gives: an expression (RE2) that all of it matches.",
    )
    timeout: Line = "60s"
    repeatable: bool = Field(False, description="Running it twice is as good as once.")
    environment: Annotated[list[Line], Field(max_length=MOST_ARGUMENTS)] = Field(
        default_factory=list, description="Variables that it gets, besides PATH, HOME and LANG."
    )


class CommandListSpec(_Part):
    """Commands."""

    commands: Annotated[list[CommandPart], Field(min_length=1, max_length=200)]


class CommandListMetadata(_Part):
    """What every object carries."""

    name: str = "commands"


class CommandListDocument(_Part):
    """kind: CommandList."""

    api_version: Literal["flyball.dev/v1"]
    kind: Literal["CommandList"]
    metadata: CommandListMetadata = CommandListMetadata()
    spec: CommandListSpec


KIND: Final = Kind(API_VERSION, "CommandList", CommandListDocument)
"""Not among the kinds of a workspace."""


@dataclass(frozen=True, slots=True)
class Command:
    """`run` is the program with its first arguments, `args` an expression for each argument of a step."""

    name: str
    run: tuple[str, ...]
    args: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=60)
    is_repeatable: bool = False
    environment: tuple[str, ...] = ()

    def refusal(self, given: Sequence[str]) -> str:
        """Why it does not take these arguments; empty when it does."""
        if len(given) != len(self.args):
            return f"{self.name} takes {len(self.args)} argument{'' if len(self.args) == 1 else 's'}, not {len(given)}"
        for number, (expression, text) in enumerate(zip(self.args, given, strict=True), 1):
            if text.startswith("-"):
                return f"argument {number} of {self.name} begins with `-`: options stand in the command list"
            if "\0" in text or re2.fullmatch(expression, text) is None:
                return f"argument {number} of {self.name}, `{text[:100]}`, does not match `{expression}`"
        return ""


def commands_of(path: str, content: bytes) -> tuple[dict[str, Command], list[Problem]]:
    """The commands of a file by name, and everything that is wrong with it. One with a mistake is left out."""
    found = read([SourceFile(path, content)], (KIND,))
    commands: dict[str, Command] = {}
    problems = list(found.problems)
    for document in found.documents:
        report = Report(document, RULE)
        assert isinstance(document.value, CommandListDocument)
        for number, part in enumerate(document.value.spec.commands):
            _take(report, document, number, part, commands)
        problems += report.problems
    return commands, in_order(problems)


def _take(report: Report, document: Document, number: int, part: CommandPart, commands: dict[str, Command]) -> None:
    at = ("spec", "commands", number)
    before = len(report.problems)
    for path, message, hint in _faults(part):
        report.error(*at, *path, message=message, hint=hint)
    if part.name in commands:
        report.error(*at, "name", message=f"the command `{part.name}` is there twice", hint="leave one of them out")
    if len(report.problems) > before:
        return
    length = _LENGTH.fullmatch(part.timeout)
    assert length is not None
    commands[part.name] = Command(
        name=part.name,
        run=tuple(part.run),
        args=tuple(part.args),
        timeout=int(length[1]) * (timedelta(seconds=1) if length[2] == "s" else timedelta(minutes=1)),
        is_repeatable=part.repeatable,
        environment=tuple(part.environment),
    )


def _faults(part: CommandPart) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    if not _NAME.fullmatch(part.name):
        yield ("name",), f"`{part.name[:80]}` is not a name", "lower-case letters, digits and `-`, at most 63"
    program = PurePosixPath(part.run[0])
    if not program.is_absolute() or ".." in program.parts:
        yield ("run", 0), "the program's path is not absolute", "write it whole, such as /usr/bin/kubectl"
    if program.name in SHELLS:
        hint = "put what it should do into a program of its own, and name that"
        yield ("run", 0), f"{program.name} runs whatever its arguments say", hint
    for number, expression in enumerate(part.args):
        try:
            re2.compile(expression)
        except re2.error as error:
            yield ("args", number), f"not a regular expression (RE2): {error}", "such as [a-z0-9-]+"
    length = _LENGTH.fullmatch(part.timeout)
    if length is None or not 0 < int(length[1]) * (1 if length[2] == "s" else 60) <= LONGEST.total_seconds():
        yield (
            ("timeout",),
            f"`{part.timeout[:40]}` is no length that a command may take",
            "write 30s or 5m; 10m at most",
        )
    for number, variable in enumerate(part.environment):
        if not _VARIABLE.fullmatch(variable):
            yield ("environment", number), f"`{variable[:80]}` is not the name of a variable", "its value stays outside"
        elif variable.startswith(_OURS) and not variable.startswith(_FOR_RUNBOOKS):
            yield ("environment", number), f"{variable} is Flyball's own", f"commands get {_FOR_RUNBOOKS}… only"
