"""URLs as people write them, apart and together."""

import re
from pathlib import Path
from urllib.parse import SplitResult, quote, urlsplit


def in_url(path: Path) -> str:
    """`path` as it stands in a URL, where `%`, `?` and `#` mean something; readable otherwise."""
    return re.sub("[%?#]", lambda found: quote(found[0]), str(path))


def split_url(text: str) -> SplitResult | None:
    """Its parts; None for what is no URL, such as one with a port that is none."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts
