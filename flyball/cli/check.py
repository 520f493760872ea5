"""`flyball check`: everything that is wrong with a workspace, at once."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from controlplane.model.slo import SLO
    from controlplane.problems import Problem
    from controlplane.specfile import SourceFile


class Format(Enum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders and files; the current folder by default.")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="For people, for programs, or for GitHub Actions.")
    ] = Format.TEXT,
    colour: Annotated[
        bool | None, typer.Option("--colour/--no-colour", help="By default, where the output is a terminal.")
    ] = None,
    no_color: Annotated[str, typer.Option(envvar="NO_COLOR", hidden=True)] = "",
) -> None:
    """Check YAML files: syntax, fields, references, PromQL. Nothing is changed, and no server is asked.

    Every problem is printed, as path:line:column: field: message. Exit status: 0 when there is none (warnings
    aside), 1 otherwise.

    \b
    Examples:
      flyball check
      flyball check slo/ flyball.yaml
      flyball check --format github    # in GitHub Actions: problems show in the change
      flyball check --format json | jq '.[].message'
    """
    from controlplane.problem_report import as_github, as_json, as_text
    from controlplane.problems import has_errors

    files, problems, slos = examined(paths or [Path()])
    if output is Format.TEXT:
        coloured = colour if colour is not None else typer.get_text_stream("stdout").isatty() and not no_color
        typer.echo(as_text(problems, _sources(files), coloured), nl=False, color=coloured)
    else:
        typer.echo(as_json(problems) if output is Format.JSON else as_github(problems), nl=False)
    if has_errors(problems):
        raise typer.Exit(ExitCode.PROBLEMS)
    typer.echo(success(slos, len(files), len(problems)), err=output is not Format.TEXT)


def examined(paths: Sequence[Path]) -> "tuple[list[SourceFile], list[Problem], Sequence[SLO]]":
    """Read and resolve what the paths hold: the files, everything that is wrong with them, and the SLOs."""
    from controlplane.adapters.files import read_folder
    from controlplane.problems import in_order
    from flyball.examining import examine

    files: dict[str, SourceFile] = {}
    problems: list[Problem] = []
    for path in paths:
        found, unreadable = read_folder(path)
        files.update((file.path, file) for file in found)
        problems += unreadable
        if not found and not unreadable:
            problems.append(_nothing_in(path))
    result = examine(list(files.values()))
    problems += [*result.problems, *_settings_problems(files.values())]
    return list(files.values()), in_order(problems), result.slos


def success(slos: "Sequence[SLO]", files: int, warnings: int) -> str:
    """`12 SLOs of 5 services in 7 files: no problems`."""
    services = len({slo.service for slo in slos})
    counted = f"{_count(len(slos), 'SLO')} of {_count(services, 'service')} in {_count(files, 'file')}"
    return f"{counted}: {'no problems' if not warnings else _count(warnings, 'warning')}"


def _nothing_in(path: Path) -> "Problem":
    from controlplane.adapters.files import shown
    from controlplane.problems import Problem

    return Problem(shown(path), 1, 1, "", "no *.yaml or *.yml files here", rule="nothing-to-check")


def _settings_problems(files: "Iterable[SourceFile]") -> "list[Problem]":
    """What is wrong with the values in each `flyball.yaml`, the environment aside."""
    from flyball.settings import FILE_NAME, Settings, load_settings

    problems: list[Problem] = []
    for path in (Path(file.path) for file in files):
        if path.name == FILE_NAME:
            settings = load_settings(path.parent, {})
            found = settings.warnings if isinstance(settings, Settings) else settings
            problems += [problem for problem in found if problem.path == str(path)]
    return problems


def _sources(files: "Sequence[SourceFile]") -> Mapping[str, bytes]:
    """What the report may show of the files: passwords in settings are masked."""
    from flyball.settings import FILE_NAME, masked

    return {file.path: masked(file.content) if Path(file.path).name == FILE_NAME else file.content for file in files}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
