"""`flyball slo convert`: SLO files of any dialect as OpenSLO v1."""

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from controlplane.problems import Problem
    from controlplane.specfile import SourceFile
    from flyball.converting import Conversion


class Alerts(Enum):
    """How the converted SLOs alert."""

    BUDGET = "budget"
    BURN_RATE = "burn-rate"


def convert(
    path: Annotated[Path, typer.Argument(metavar="FILE|DIR", help="SLO files of Sloth, Pyrra or OpenSLO.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="OUT", help="A folder (or a file for FILE); else stdout.")
    ] = None,
    alerts: Annotated[
        Alerts | None,
        typer.Option(help="burn-rate: the alerts that Sloth or Pyrra would make. By default ours, in budgets."),
    ] = None,
    keep_names: Annotated[
        bool, typer.Option("--keep-names", help="Record the series of Sloth or Pyrra, too, for their dashboards.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON (needs --out).")] = False,
) -> None:
    """Write SLO files of any dialect as OpenSLO v1, with `flyball.dev/…` annotations for what OpenSLO cannot say.

    What is written is read again and compared. What does not come back the same is told, and then nothing is written.
    Files that hold nothing but OpenSLO v1 are copied as they are; comments of the others are lost. The same files
    always give the same bytes. Exit status: 0 when nothing was lost, 1 otherwise.

    \b
    Examples:
      flyball slo convert sloth.yaml
      flyball slo convert sloth.yaml -o slo/checkout.yaml
      flyball slo convert pyrra/ -o slo/ --alerts burn-rate --keep-names
    """
    from controlplane.adapters.files import read_folder
    from controlplane.model.alerting import AlertMethod
    from controlplane.problems import has_errors, in_order
    from flyball.converting import ConvertOptions
    from flyball.converting import convert as converted

    if as_json and out is None:
        raise typer.BadParameter("--json needs --out: without it the files go to stdout.", param_hint="--json")
    files, unreadable = read_folder(path)
    method = AlertMethod(alerts.value) if alerts is not None else None
    conversion = converted(files, ConvertOptions(method, keep_names))
    problems = in_order([*unreadable, *conversion.problems, *_nothing(path, files, unreadable)])
    written = [] if has_errors(problems) else _write(path, out, conversion)
    if as_json:
        _show_json(conversion, written, problems)
    else:
        _show(problems, files)
        if out is not None and not has_errors(problems):
            count = conversion.converted
            plural = "" if count == 1 else "s"
            files_word = "file" if len(written) == 1 else "files"
            typer.echo(f"{count:,} SLO{plural} converted; {len(written):,} {files_word} written to {out}", err=True)
    if has_errors(problems):
        raise typer.Exit(ExitCode.PROBLEMS)


def _nothing(path: Path, files: "Sequence[SourceFile]", unreadable: "Sequence[Problem]") -> "list[Problem]":
    from controlplane.adapters.files import shown
    from controlplane.problems import Problem

    if files or unreadable:
        return []
    return [Problem(shown(path), 1, 1, "", "no *.yaml or *.yml files here", rule="nothing-to-check")]


def _write(path: Path, out: Path | None, conversion: "Conversion") -> list[str]:
    """Write the texts to where they belong; the paths that were written."""

    if out is None:
        texts = [text.decode("utf-8", "replace") for text in conversion.texts.values()]
        typer.echo("---\n".join(text if text.endswith("\n") else f"{text}\n" for text in texts), nl=False)
        return []
    to_file = path.is_file() and out.suffix in (".yaml", ".yml")
    written = []
    for name, text in conversion.texts.items():
        target = out if to_file else out / (Path(name).relative_to(path) if path.is_dir() else Path(name).name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        except OSError as error:
            typer.echo(f"{error.filename or target}: {error.strerror}", err=True)
            raise typer.Exit(ExitCode.OUTSIDE) from None
        written.append(str(target))
    return written


def _show(problems: "Sequence[Problem]", files: "Sequence[SourceFile]") -> None:
    from controlplane.problem_report import as_text

    if problems:
        coloured = typer.get_text_stream("stderr").isatty()
        typer.echo(as_text(problems, {file.path: file.content for file in files}, coloured), err=True)


def _show_json(conversion: "Conversion", written: list[str], problems: "Sequence[Problem]") -> None:
    from controlplane.problem_report import as_json

    answer = {"slos": conversion.converted, "written": written, "problems": json.loads(as_json(problems))}
    typer.echo(json.dumps(answer, indent=2))
