"""`flyball init`: a first workspace."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it does not exist.")] = Path(),
) -> None:
    """Write a first workspace: `flyball.yaml` and one SLO, both with comments. Existing files are never replaced.

    \b
    Examples:
      flyball init
      flyball init observability/ && flyball check observability/
    """
    template = _template()
    present = [str(folder / name) for name in sorted(template) if (folder / name).exists()]
    if present:
        verb = "is" if len(present) == 1 else "are"
        typer.echo(f"{' and '.join(present)} {verb} already there; nothing was written.", err=True)
        raise typer.Exit(ExitCode.PROBLEMS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in sorted(template.items()):
            with (folder / name).open("xb") as file:
                file.write(content)
            typer.echo(str(folder / name))
    except OSError as error:
        typer.echo(f"{error.filename or folder}: {(error.strerror or 'cannot be written').lower()}", err=True)
        raise typer.Exit(ExitCode.PROBLEMS) from error
    target = "" if folder == Path() else f" {folder}"
    typer.echo(f"Now edit the queries, and run: flyball check{target}", err=True)


def _template() -> dict[str, bytes]:
    entries = files("flyball").joinpath("templates/minimal").iterdir()
    return {entry.name: entry.read_bytes() for entry in entries if entry.name.endswith(".yaml")}
