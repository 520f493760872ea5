"""`flyball status build`: a status page as files."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flyball.cli import ExitCode
from flyball.cli.declared import fail
from flyball.cli.status_opening import (
    AsJSON,
    Database,
    Folder,
    PageName,
    measured_or_unknown,
    now,
    opened,
    page_or_exit,
    printed,
)

if TYPE_CHECKING:
    from controlplane.model.public_status import PublicSnapshot
    from synthetics.status_page.publishing import Published

Out = Annotated[str, typer.Option("-o", "--out", metavar="OUT", help="A folder, or a bucket: s3://…, gs://…, az://….")]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", metavar="TAG", help="Instead of the page's languages; the first is at the root."),
]


def build(
    page: PageName = "",
    folder: Folder = Path(),
    out: Out = "",
    language: Languages = None,
    database: Database = "",
    as_json: AsJSON = False,
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
    from synthetics.status_page.publishing import Outcome
    from synthetics.status_page.snapshot import snapshot

    if not out:
        raise typer.BadParameter("say where to write: -o DIR, or -o s3://BUCKET", param_hint="--out")
    chosen = page_or_exit(page, folder)
    at = now()
    measured = measured_or_unknown(chosen, folder, at)
    with opened(folder, database) as store, store.transaction(read_only=True) as transaction:
        shown = snapshot(chosen, transaction, at, measured_slos=measured, tells_slos=True)
    published = _published_or_exit(_in_languages(shown, language or []), out)
    if published.outcome is Outcome.OLDER:
        fail(f"a newer page lies in {out}: nothing was written", ExitCode.OUTSIDE)
    printed(_as_json(chosen.name, out, published), _as_text(chosen.name, out, published), as_json=as_json)


def _in_languages(shown: "PublicSnapshot", languages: list[str]) -> "PublicSnapshot":
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


def _as_text(page: str, out: str, published: "Published") -> str:
    told = f"{page}: {published.files:,} files in {out}; written anew: {len(published.written):,}, "
    told += f"{published.written_bytes / 1000:,.1f} kB"
    return told if "://" in out else f"{told}\nThe web server's root: {Path(out) / 'current'}"


def _as_json(page: str, out: str, published: "Published") -> dict[str, object]:
    return {
        "page": page,
        "out": out,
        "outcome": published.outcome.value,
        "files": published.files,
        "written": list(published.written),
        "writtenBytes": published.written_bytes,
    }
