"""`flyball check`: everything that is wrong with a workspace, at once."""

import time
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from controlplane.model.slo import SLO
    from controlplane.problems import Problem
    from controlplane.specfile import SourceFile
    from flyball.checking import Checked


_QUIET_SECONDS: Final = 2.0


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
    prometheus: Annotated[
        str, typer.Option("--prometheus", metavar="URL", help="Also ask this Prometheus whether it has all of it.")
    ] = "",
    enforce_golden_paths: Annotated[
        bool,
        typer.Option(
            "--enforce-golden-paths",
            help="Fail while a critical GoldenPath has gaps; with --prometheus its traffic and last runs count, too.",
        ),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --enforce-golden-paths: what is unknown fails as well.")
    ] = False,
    explain: Annotated[
        str, typer.Option("--explain", metavar="RULE", help="What a lint rule is about; `all` lists them.")
    ] = "",
    colour: Annotated[
        bool | None, typer.Option("--colour/--no-colour", help="By default, where the output is a terminal.")
    ] = None,
    no_color: Annotated[str, typer.Option(envvar="NO_COLOR", hidden=True)] = "",
) -> None:
    """Check YAML files: syntax, fields, references, PromQL, and habits that cost something later (lint rules).

    Nothing is changed, and no server is asked, unless --prometheus names one: then metrics, labels, buckets, traffic
    and retention are looked up there, too. Every problem is printed, as path:line:column: field: message  [rule]. Exit
    status: 0 when there is none (warnings aside), 1 otherwise, 3 when Prometheus cannot be asked.

    \b
    Examples:
      flyball check
      flyball check slo/ flyball.yaml
      flyball check --prometheus http://127.0.0.1:9090
      flyball check --explain objective-too-fine
      flyball check --enforce-golden-paths --prometheus http://127.0.0.1:9090
      flyball check --format github    # in GitHub Actions: problems show in the change
      flyball check --format json | jq '.[].message'
    """
    from controlplane.problems import has_errors
    from flyball.checking import check_files

    if explain:
        _explain(explain)
        return
    files, problems = _read(paths or [Path()])
    folder = (paths or [Path()])[0]
    checked = check_files(files, exists=_exists_in(folder) if folder.is_dir() else None)
    outside = ""
    if prometheus:
        checked, outside = _live(checked, prometheus)
    problems += [*checked.problems, *_settings_problems(files), *_journey_problems(checked, folder)]
    coloured = colour if colour is not None else typer.get_text_stream("stdout").isatty() and not no_color
    _print(problems, files, output, coloured)
    is_wrong = has_errors(problems)
    if outside:
        typer.echo(outside, err=True)
    elif not is_wrong:
        typer.echo(success(checked, len(files), len(problems)), err=output is not Format.TEXT)
    if enforce_golden_paths and not is_wrong:
        _enforce(checked, folder, prometheus, strict=strict)
    if outside or is_wrong:
        raise typer.Exit(ExitCode.OUTSIDE if outside else ExitCode.PROBLEMS)


def _exists_in(folder: Path) -> "Callable[[str], bool]":
    """Whether a file of the workspace is there, by its path from the root on."""
    return lambda path: (folder / path).is_file()


def _enforce(checked: "Checked", folder: Path, prometheus: str, *, strict: bool) -> None:
    """Exit 1 while a critical path is not watched as it should be."""
    from flyball.cli.golden_paths import enforced, fails, failures, sources_of
    from flyball.cli.settings import settings_or_exit

    settings = settings_or_exit(folder if folder.is_dir() else folder.parent, {"prometheus.url": prometheus})
    with sources_of(settings, "", offline=not prometheus) as (backend, store):
        found = enforced(checked.documents, backend=backend, store=store)
    for line in failures(found, strict=strict):
        typer.echo(line, err=True)
    if fails(found, strict=strict):
        raise typer.Exit(ExitCode.PROBLEMS)


def _journey_problems(checked: "Checked", folder: Path) -> "list[Problem]":
    """What is wrong with the test files of browser journeys, which lie beside the YAML."""
    journeys = checked.checks.journeys
    if not journeys:
        return []
    from synthetics.journeys.file_checks import MOST_BYTES, file_problems

    root = folder if folder.is_dir() else folder.parent

    def read(path: str) -> bytes:
        with (root / path).open("rb") as file:
            return file.read(MOST_BYTES + 1)

    return file_problems(journeys, read)


def examined(paths: Sequence[Path]) -> "tuple[list[SourceFile], list[Problem], Sequence[SLO]]":
    """What the paths hold: the files, every mistake in them (lint rules aside), and the SLOs."""
    from controlplane.problems import in_order
    from flyball.examining import examine

    files, problems = _read(paths)
    result = examine(files)
    return files, in_order([*problems, *result.problems, *_settings_problems(files)]), result.slos


def _read(paths: Sequence[Path]) -> "tuple[list[SourceFile], list[Problem]]":
    """What the paths hold, and what could not be read."""
    from controlplane.adapters.files import read_folder

    files: dict[str, SourceFile] = {}
    problems: list[Problem] = []
    for path in paths:
        found, unreadable = read_folder(path)
        files.update((file.path, file) for file in found)
        problems += unreadable
        if not found and not unreadable:
            problems.append(_nothing_in(path))
    return list(files.values()), problems


def _live(checked: "Checked", url: str) -> "tuple[Checked, str]":
    """With what Prometheus says; and why it said nothing, if it did not."""
    from controlplane.ports import Permanent, Transient
    from flyball.checking import ask_prometheus

    try:
        note = _Notes()
        return ask_prometheus(checked, url, progress=note.progress, note=note), ""
    except (Transient, Permanent) as error:
        return checked, f"{error}\nthe live rules were not checked"


class _Notes:
    """Says on standard error what goes on, from the third second on, and what could not be checked."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, text: str) -> None:
        typer.echo(text, err=True)

    def progress(self, what: str, done: int, of: int) -> None:
        """`done` of so many were asked about."""
        now = time.monotonic()
        if now - self._said > _QUIET_SECONDS:
            self._said = now
            self(f"asking Prometheus about {what}: {done:,} of {of:,}")


def _print(problems: "list[Problem]", files: "Sequence[SourceFile]", output: Format, coloured: bool) -> None:
    from controlplane.problem_report import as_github, as_json, as_text

    if output is Format.TEXT:
        typer.echo(as_text(problems, _sources(files), coloured), nl=False, color=coloured)
    else:
        typer.echo(as_json(problems) if output is Format.JSON else as_github(problems), nl=False)


def success(checked: "Checked", files: int, warnings: int) -> str:
    """`12 SLOs of 5 services, 2 budgets in 7 files: no problems`."""
    from flyball.alerting.declared import in_words

    services = len({slo.service for slo in checked.slos})
    slos = f"{_count(len(checked.slos), 'SLO')} of {_count(services, 'service')}"
    about = (checked.money.in_words(), checked.checks.in_words())
    others = (*about, in_words(checked.alerts), checked.delivery.in_words(), checked.anomalies.in_words())
    declared = ", ".join(filter(None, (slos, *others)))
    counted = f"{declared} in {_count(files, 'file')}"
    return f"{counted}: {'no problems' if not warnings else _count(warnings, 'warning')}"


def _explain(name: str) -> None:
    """Print a lint rule, or all of them by name."""
    from controlplane.specfile import did_you_mean
    from slo.lint import BY_NAME, RULES

    if name == "all":
        wide = max(len(rule.name) for rule in RULES)
        for rule in RULES:
            live = " (with --prometheus)" if rule.needs_server else ""
            typer.echo(f"{rule.name:<{wide}}  {rule.level.value:<7}  {rule.summary}{live}")
        return
    if name not in BY_NAME:
        meant = did_you_mean(name, BY_NAME)
        question = f" Did you mean {meant}?" if meant else " `--explain all` lists the rules."
        raise typer.BadParameter(f"There is no lint rule {name}.{question}", param_hint="--explain")
    from slo.lint.documentation import explained

    typer.echo(explained(BY_NAME[name]), nl=False)


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
    """What the report may show of the files: passwords are masked."""
    from flyball.shown_sources import showable

    return {file.path: showable(file.path, file.content) for file in files}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
