"""`flyball status build`: a status page as files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import declared_or_exit, fail, one_or_exit
from flyball.cli.settings import settings_or_exit

if TYPE_CHECKING:
    from datetime import datetime

    from controlplane.model.public_status import PublicSnapshot
    from flyball.settings import Settings
    from synthetics.status_page.model import StatusPage
    from synthetics.status_page.publishing import Published


def build(
    page: Annotated[str, typer.Argument(metavar="[PAGE]", help="The page; not needed where there is one.")] = "",
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The workspace.")] = Path(),
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help="A folder, or a bucket: s3://…, gs://…, az://….")
    ] = "",
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="TAG", help="Instead of the page's languages; the first is at the root."),
    ] = None,
    database: Annotated[str, typer.Option(metavar="URL", help="Instead of the workspace's database.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a status page as it is now: HTML, JSON, feeds, calendar and badges, ready for any web server.

    A folder gets whole generations: OUT/current is the web server's root. A bucket gets the objects themselves.
    `flyball up` publishes every page each minute; this is for looking at one, and for moving one.

    Exit status: 0, 1 when the files have mistakes, 3 when the database or the place failed.

    \b
    Examples:
      flyball status build -o public/
      flyball status build acme shop -o s3://status-acme --json
      flyball status build -o draft/ --language de
    """
    from controlplane.adapters.clock import SystemClock
    from synthetics.status_page.publishing import Outcome

    if not out:
        raise typer.BadParameter("say where to write: -o DIR, or -o s3://BUCKET", param_hint="--out")
    chosen = _page_or_exit(page, folder)
    shown = _snapshot_or_exit(chosen, settings_or_exit(folder), database, SystemClock().now())
    published = _published_or_exit(_in_languages(shown, language or []), out)
    if as_json:
        typer.echo(json.dumps(_as_json(chosen.name, out, published), ensure_ascii=False))
        return
    if published.outcome is Outcome.OLDER:
        fail(f"a newer page lies in {out}: nothing was written", ExitCode.OUTSIDE)
    typer.echo(f"{chosen.name}: {published.files:,} files in {out}")
    typer.echo(f"  written anew: {len(published.written):,}, {published.written_bytes / 1000:,.1f} kB")
    if "://" not in out:
        typer.echo(f"  the web server's root: {Path(out) / 'current'}")


def _page_or_exit(name: str, folder: Path) -> "StatusPage":
    from synthetics.status_page.declared import declared
    from synthetics.status_page.kinds import KINDS

    pages = declared_or_exit(folder, declared, KINDS)
    if name:
        return one_or_exit(pages, name, "StatusPage")
    if not pages:
        fail(f"{folder} declares no StatusPage: docs/how-to/host-a-status-page.md says how to begin", ExitCode.PROBLEMS)
    if len(pages) > 1:
        fail(f"which page? There are {', '.join(sorted(pages))}", ExitCode.PROBLEMS)
    return next(iter(pages.values()))


def _snapshot_or_exit(page: "StatusPage", settings: "Settings", database: str, now: "datetime") -> "PublicSnapshot":
    from controlplane.ports import Permanent, Transient
    from controlplane.store import migrate, open_store
    from synthetics.status_page.snapshot import snapshot

    url = database or settings.database_url.reveal()
    try:
        migrate(url)
        store = open_store(url)
        try:
            with store.transaction(read_only=True) as transaction:
                return snapshot(page, transaction, now)
        finally:
            store.close()
    except (Transient, Permanent) as error:
        fail(f"flyball status: {error}", ExitCode.OUTSIDE)


def _in_languages(shown: "PublicSnapshot", languages: list[str]) -> "PublicSnapshot":
    from dataclasses import replace

    from synthetics.status_page.languages import LANGUAGES

    unknown = [language for language in languages if language not in LANGUAGES]
    if unknown:
        known = ", ".join(LANGUAGES)
        raise typer.BadParameter(f"there is no catalogue for {unknown[0]}; there is {known}", param_hint="--language")
    if not languages:
        return shown
    return replace(shown, page=replace(shown.page, languages=tuple(dict.fromkeys(languages))))


def _published_or_exit(shown: "PublicSnapshot", out: str) -> "Published":
    from controlplane.ports import Permanent, Transient
    from synthetics.status_page.adapters.places import place_of
    from synthetics.status_page.publishing import publish

    try:
        return publish(place_of(out), shown)
    except (Transient, Permanent) as error:
        fail(f"flyball status: {error}", ExitCode.OUTSIDE)


def _as_json(page: str, out: str, published: "Published") -> dict[str, object]:
    return {
        "page": page,
        "out": out,
        "outcome": published.outcome.value,
        "files": published.files,
        "written": list(published.written),
        "writtenBytes": published.written_bytes,
    }
