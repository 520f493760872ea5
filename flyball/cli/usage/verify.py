"""`flyball usage verify`: is this the file that was exported?"""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Workspace, opened

_MOST_BYTES: Final = 2 * 1024**3


def verify(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The CSV file; its manifest lies beside it.")],
    workspace: Workspace = Path(),
    database: Database = "",
    offline: Annotated[bool, typer.Option("--offline", help="Against the manifest alone, without the store.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Check an exported file: its SHA-256, rows, sums and control totals against its manifest, and all of it against
    the month as the store has kept it.

    Exit status: 0 when all agrees, 1 when something does not, 3 when the database failed.

    \b
    Examples:
      flyball usage verify invoices/usage-2026-11.csv
      flyball usage verify usage-2026-11.csv --offline
    """
    from exporters.usage.closing import read_closed
    from exporters.usage.export import manifest_name
    from exporters.usage.verifying import named_period, verified

    text, manifest = _content(path), _content(path.with_name(manifest_name(path.name)))
    period = named_period(manifest)
    closed = None
    if not offline and period:
        with opened(settings_or_exit(workspace), database) as store:
            closed = read_closed(store, period)
    found = verified(text, manifest, closed)
    wrong = list(found.wrong)
    if not offline and period and closed is None:
        wrong.append(f"the store has not closed {period}")
    if as_json:
        about = {"file": str(path), "period": found.period, "rows": found.rows, "sha256": found.sha256}
        typer.echo(json.dumps({**about, "agrees": not wrong, "wrong": wrong}, ensure_ascii=False))
    else:
        for line in wrong:
            typer.echo(line, err=True)
        against = "its manifest" if offline else "its manifest and the store"
        typer.echo(f"{path}: {found.rows:,} lines, " + ("differs" if wrong else f"agrees with {against}"))
    if wrong:
        raise typer.Exit(ExitCode.PROBLEMS)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            fail(f"{path}: larger than {_MOST_BYTES // 1024**3} GiB: no file of ours", ExitCode.PROBLEMS)
        return path.read_bytes()
    except OSError as error:
        fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
