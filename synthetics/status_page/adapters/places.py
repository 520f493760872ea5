"""Which kind of place a text means."""

from functools import cache
from pathlib import Path

from synthetics.status_page.adapters.page_folder import PageFolder
from synthetics.status_page.publishing import Place


def place_of(target: str, page: str = "") -> Place:
    """A folder, or a bucket by its URL; with `page`, the part of it that is that page's own.

    Raises `Permanent` for a URL that pages cannot be published to.
    """
    if "://" not in target:
        return PageFolder(Path(target) / page)
    return _bucket("/".join(part for part in (target.rstrip("/"), page) if part))


@cache
def _bucket(url: str) -> Place:
    """One client for each, with its connections: pages are published every minute."""
    from synthetics.status_page.adapters.page_bucket import PageBucket

    return PageBucket(url)
