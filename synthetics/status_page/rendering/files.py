"""Every file of a page."""

from collections.abc import Iterator, Mapping, Sequence

from controlplane.model.public_status import PublicSnapshot
from synthetics.status_page.rendering import badge, feeds, maintenance_calendar, statuspage_json, uptime_data
from synthetics.status_page.rendering.catalogue import Catalogue, catalogue
from synthetics.status_page.rendering.pages import Pages
from synthetics.status_page.rendering.stylesheet import style_sheet
from synthetics.status_page.rendering.tidy import tidied


def render(snapshot: PublicSnapshot, catalogues: Sequence[Catalogue] | None = None) -> Mapping[str, bytes]:
    """Relative paths and contents. The first language stands at the root, others in a folder of their tag.

    `catalogues` are those of the page's languages unless given.
    """
    tidy = tidied(snapshot)
    trees = _trees(tidy, _chosen(snapshot, catalogues))
    return {**dict(_leaves(tidy, trees)), **dict(_fresh(tidy, trees))}


def render_fresh(snapshot: PublicSnapshot, catalogues: Sequence[Catalogue] | None = None) -> Mapping[str, bytes]:
    """Only those that say when the page was last updated: what to renew each minute while nothing happens."""
    tidy = tidied(snapshot)
    return dict(_fresh(tidy, _trees(tidy, _chosen(snapshot, catalogues))))


def _chosen(snapshot: PublicSnapshot, catalogues: Sequence[Catalogue] | None) -> Sequence[Catalogue]:
    return catalogues or [catalogue(language) for language in snapshot.page.languages] or [catalogue("en")]


def _trees(snapshot: PublicSnapshot, catalogues: Sequence[Catalogue]) -> list[Pages]:
    folders = {each.language: "" if number == 0 else f"{each.language}/" for number, each in enumerate(catalogues)}
    return [Pages(snapshot, each, folders[each.language], folders) for each in catalogues]


def _fresh(snapshot: PublicSnapshot, trees: Sequence[Pages]) -> Iterator[tuple[str, bytes]]:
    yield from (pages.index() for pages in trees)
    yield from statuspage_json.fresh_files(snapshot)


def _leaves(snapshot: PublicSnapshot, trees: Sequence[Pages]) -> Iterator[tuple[str, bytes]]:
    style = style_sheet()
    yield style.path, style.content
    for pages in trees:
        yield from pages.leaves()
        yield from feeds.files(snapshot, pages.voice, pages.folder)
    yield from badge.files(snapshot, trees[0].voice)
    yield from maintenance_calendar.files(snapshot)
    yield from uptime_data.files(snapshot)
    yield from statuspage_json.leaf_files(snapshot)
