"""`flyball audit`: the record of decisions and changes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from controlplane.model.outbox import AuditEntry

app = typer.Typer(
    no_args_is_help=True,
    help="The record of decisions and changes.\n\n\b\nExamples:\n  flyball audit list\n  flyball audit verify",
)


@app.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    noted: Annotated[
        str, typer.Option("--noted", metavar="N:HASH", help="The number and hash of an entry as they once were.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Recompute the audit log's chain of hashes; exit with 1 when an entry was altered, removed or moved.

    Note the number of entries and the last hash somewhere that nobody who can write to the database can write to:
    whoever rewrites the whole chain from some entry on, or cuts its end off, changes them, and nothing else would show.
    `--noted` compares.

    \b
    Examples:
      flyball audit verify
      flyball audit verify --noted 128:4f1c0d5e…
      flyball audit verify examples/intelgraph --json | jq -r .hash
      flyball audit verify --database sqlite:////var/lib/flyball/flyball.db
    """
    from controlplane.ports import Permanent, Transient
    from controlplane.store import open_store

    number, known_hash = _noted(noted)
    url = database or settings_or_exit(folder).database_url.reveal()
    try:
        store = open_store(url)
        try:
            store.ping()
            with store.transaction(read_only=True) as transaction:
                broken, (entries, last_hash) = transaction.audit.verify(), transaction.audit.head()
                if broken is None and number:
                    found = transaction.audit.entries(number - 1, 1)
                    broken = None if found and found[0].hash == known_hash else min(number, entries + 1)
        finally:
            store.close()
    except (Transient, Permanent) as error:
        typer.echo(f"flyball audit: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    typer.echo(_outcome(broken, entries, last_hash, as_json=as_json))
    if broken is not None:
        raise typer.Exit(ExitCode.PROBLEMS)


def _noted(text: str) -> tuple[int, str]:
    """The number and hash of an entry; 0 where none is given."""
    number, colon, digest = text.partition(":")
    if not text:
        return 0, ""
    if not colon or not (number.isascii() and number.isdigit()) or int(number) == 0:
        raise typer.BadParameter("write the number of an entry and its hash: 128:4f1c…", param_hint="--noted")
    return int(number), digest


@app.command("list")
def list_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace.")] = Path(),
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the latest entries of the audit log: when, by whom, what, and of what.

    \b
    Examples:
      flyball audit list
      flyball audit list --json | jq 'select(.action == "slo.exclusion_added") | .detail'
    """
    from controlplane.ports import Permanent, Transient
    from controlplane.store import open_store

    url = database or settings_or_exit(folder).database_url.reveal()
    try:
        store = open_store(url)
        try:
            store.ping()
            with store.transaction(read_only=True) as transaction:
                entries = transaction.audit.entries(max(0, transaction.audit.head()[0] - limit), limit)
        finally:
            store.close()
    except (Transient, Permanent) as error:
        typer.echo(f"flyball audit: {error}", err=True)
        raise typer.Exit(ExitCode.OUTSIDE) from None
    for entry in entries:
        typer.echo(_entry(entry, as_json=as_json))


def _entry(entry: "AuditEntry", *, as_json: bool) -> str:
    import json

    at = f"{entry.at:%Y-%m-%dT%H:%M:%SZ}"
    about = {"at": at, "actor": entry.actor, "action": entry.action, "subject": entry.subject}
    if as_json:
        return json.dumps({**about, "detail": dict(entry.detail)}, ensure_ascii=False)
    words = "; ".join(f"{entry.detail[key]}" for key in ("owner", "reason") if entry.detail.get(key))
    return "  ".join((*about.values(), words)).rstrip()


def _outcome(broken: int | None, entries: int, last_hash: str, *, as_json: bool) -> str:
    import json

    if as_json:
        return json.dumps({"intact": broken is None, "broken_at": broken, "entries": entries, "hash": last_hash})
    if broken is not None:
        return f"broken at entry {broken}: it was altered, removed or moved after it was written"
    return f"intact: {entries} entries, last hash {last_hash}"
