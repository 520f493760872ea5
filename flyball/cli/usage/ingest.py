"""`flyball usage ingest`: events from files and pipes."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.settings import settings_or_exit
from flyball.cli.usage.opening import AsJSON, Database, Workspace, opened, terms_or_exit
from flyball.cli.usage.talking import Counting

if TYPE_CHECKING:
    from datetime import datetime

    from controlplane.model.usage import Receipt
    from exporters.cloudevents.faults import Fault
    from exporters.usage.measuring import Measurer

_SPOOL_BYTES: Final = 8 * 1024**3  # of a pipe, which is read twice
_CHUNK: Final = 1024**2


def ingest(
    path: Annotated[str, typer.Argument(metavar="FILE|-", help="JSON or NDJSON; - reads standard input.")] = "-",
    workspace: Workspace = Path(),
    database: Database = "",
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Count the good events of a file that has bad ones.")
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Count the usage events of a file: CloudEvents 1.0 as a JSON object, a JSON list, or one object a line.

    Every event is checked first; when one is wrong, nothing is counted and every fault is told by its line. Each event
    counts once, however often it is sent: tenant, source and id make it unique, so a run that was cut short is simply
    repeated. An event that contradicts one known is set aside (flyball usage conflicts), as is one of a type or tenant
    that nothing declares.

    Exit status: 0, or 1 when events are malformed, or the workspace has mistakes, 3 when the database failed.

    \b
    Examples:
      flyball usage ingest events.ndjson
      zcat events.ndjson.gz | flyball usage ingest -
      flyball usage ingest events.json --json | jq .accepted
    """
    from controlplane.adapters.clock import SystemClock
    from exporters.usage.measuring import Measurer

    terms = terms_or_exit(workspace)
    now = SystemClock().now()
    with _stream(path) as stream:
        measurer = Measurer(terms)
        faults, refused = ((), 0) if keep_good else _check(stream, measurer, now)
        if refused:
            _tell(None, faults, refused, as_json=as_json)
            raise typer.Exit(ExitCode.PROBLEMS)
        receipt, faults, refused = _store(stream, measurer, now, workspace, database)
    _tell(receipt, faults, refused, as_json=as_json)
    if refused:
        raise typer.Exit(ExitCode.PROBLEMS)


@contextmanager
def _stream(path: str) -> "Iterator[IO[bytes]]":
    if path == "-":
        with tempfile.TemporaryFile() as spool:
            _spool(sys.stdin.buffer, spool)
            yield spool
        return
    with ExitStack() as opened_file:
        try:
            stream = opened_file.enter_context(Path(path).open("rb"))
        except OSError as error:
            fail(f"{path}: {error.strerror}", ExitCode.PROBLEMS)
        yield stream


def _spool(source: "IO[bytes]", target: "IO[bytes]") -> None:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > _SPOOL_BYTES:
            fail(f"standard input: more than {_SPOOL_BYTES // 1024**3} GiB: send it in parts", ExitCode.PROBLEMS)
        target.write(chunk)
    target.seek(0)


def _check(stream: "IO[bytes]", measurer: "Measurer", now: "datetime") -> "tuple[tuple[Fault, ...], int]":
    from exporters.cloudevents.faults import MOST_TOLD
    from exporters.usage.event_files import deliveries

    faults: list[Fault] = []
    refused = 0
    with Counting("checking") as counting:
        for part in deliveries(stream, measurer, now):
            refused += part.refused
            faults += part.faults[: MOST_TOLD - len(faults)]
            counting.add(len(part.events) + len(part.aside) + part.refused)
    stream.seek(0)
    return tuple(faults), refused


def _store(
    stream: "IO[bytes]", measurer: "Measurer", now: "datetime", workspace: Path, database: str
) -> "tuple[Receipt, tuple[Fault, ...], int]":
    from controlplane.model.usage import Receipt
    from exporters.cloudevents.faults import MOST_TOLD
    from exporters.usage.event_files import deliveries
    from exporters.usage.intake import Intake

    receipt, refused = Receipt(), 0
    faults: list[Fault] = []
    with opened(settings_or_exit(workspace), database) as store, Counting("counting") as counting:
        intake = Intake(store)
        for part in deliveries(stream, measurer, now):
            receipt += intake.take(part, now, keep_good=True).receipt
            refused += part.refused
            faults += part.faults[: MOST_TOLD - len(faults)]
            counting.add(len(part.events) + len(part.aside) + part.refused)
    return receipt, tuple(faults), refused


def _tell(receipt: "Receipt | None", faults: "tuple[Fault, ...]", refused: int, *, as_json: bool) -> None:
    from exporters.usage.views import receipt_data, receipt_text

    if as_json:
        typer.echo(json.dumps(receipt_data(receipt, faults, refused), ensure_ascii=False))
        return
    for fault in faults:
        typer.echo(str(fault), err=True)
    if refused > len(faults):
        typer.echo(f"… and {refused - len(faults):,} more", err=True)
    if receipt is None:
        typer.echo(f"{refused:,} malformed event{'' if refused == 1 else 's'}: nothing was counted", err=True)
    else:
        typer.echo(receipt_text(receipt, refused))
