"""`flyball usage export`: the month as files."""

import json
import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Month, Workspace, month_or_exit, opened


def export(
    period: Month,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="DIR", help="Where the files go.")] = Path(),
    workspace: Workspace = Path(),
    database: Database = "",
    as_json: AsJSON = False,
) -> None:
    """Write a closed month as usage-YYYY-MM.csv, and beside it a manifest with SHA-256, row count and control totals.

    The same month gives the same bytes, always. Amounts are rounded once a line; their sum is the total.

    Exit status: 0, 1 when the month is not closed, 3 when the database failed or a file cannot be written.

    \b
    Examples:
      flyball usage export --period 2026-11 -o invoices/
      flyball usage export --period 2026-11 --json | jq -r .sha256
    """
    from exporters.usage.closing import read_closed
    from exporters.usage.export import export_of, totals_of

    month = month_or_exit(period)
    with opened(settings_or_exit(workspace), database) as store:
        closed = read_closed(store, month)
    if closed is None:
        fail(f"{month} is not closed: flyball usage close --period {month}", ExitCode.PROBLEMS)
    files = export_of(month, closed.lines, closed.controls)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in ((files.csv_name, files.csv), (files.manifest_name, files.manifest)):
            _write(out / name, content)
    except OSError as error:
        fail(f"{error.filename or out}: {error.strerror}", ExitCode.OUTSIDE)
    totals = totals_of(closed.lines)
    path = str(out / files.csv_name)
    if as_json:
        about = {"file": path, "manifest": str(out / files.manifest_name), "sha256": files.sha256}
        typer.echo(json.dumps({**about, "rows": len(closed.lines), "totals": totals}, ensure_ascii=False))
        return
    typer.echo(f"{path}: {len(closed.lines):,} lines, SHA-256 {files.sha256}")
    for measure, total in totals.items():
        typer.echo(f"  {measure}  {total}")


def _write(path: Path, content: bytes) -> None:
    """All of it, or the file as it was before."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
