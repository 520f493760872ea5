"""Globs of files and of tags."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

MOST_STARS: Final = 8  # each may be tried at every place of a path
_TOKENS: Final = re.compile(r"\*\*/|/\*\*|\*\*|\*|\?|[^*?]+")
_WORDS: Final = "alpha|beta|rc|pre|preview|dev|snapshot|canary|nightly"
_PRE_RELEASE: Final = re.compile(rf"[0-9][-._+]?(?:{_WORDS})(?:[-._]?[0-9]+)*(?:[-.+].*)?$", re.IGNORECASE)


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Whether one of the globs (`*`, `?`, `[…]`) fits all of a tag."""
    return any(_tag(pattern).fullmatch(name) for pattern in patterns)


def is_pre_release(tag: str) -> bool:
    """`v1.2.0-rc.1`, `0.1.0beta2`, `1.0.0-alpha`: versions that are tried before they are released."""
    return _PRE_RELEASE.search(tag) is not None


def touches(paths: Iterable[str], patterns: Sequence[str]) -> bool:
    """Whether one of the files is under one of the globs; without any glob every file is."""
    if not patterns:
        return True
    expressions = [_path(pattern) for pattern in patterns]
    return any(expression.fullmatch(path) for path in paths for expression in expressions)


@lru_cache(maxsize=4096)
def _tag(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


@lru_cache(maxsize=4096)
def _path(pattern: str) -> re.Pattern[str]:
    """`**` crosses folders, `*` and `?` do not; what names a folder takes in all that is below it."""
    found = []
    for part in _TOKENS.findall(pattern.rstrip("/")):
        if part == "**/":
            found.append("(?:[^/]+/)*")
        elif part == "/**":
            found.append("/.+")
        elif part == "**":
            found.append(".*")
        elif part == "*":
            found.append("[^/]*")
        else:
            found.append("[^/]" if part == "?" else re.escape(part))
    return re.compile(f"{''.join(found)}(?:/.*)?", re.DOTALL)
