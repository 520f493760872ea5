"""Globs of files and of tags."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import lru_cache
from typing import Final

MOST_STARS: Final = 8  # each may be tried at every place of a path
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
    """`**` is any number of folders, at the end all that is below; what names a folder takes in all below it, too."""
    *folders, last = pattern.rstrip("/").split("/")
    begin = "".join("(?:[^/]+/)*" if each == "**" else f"{_segment(each)}/" for each in folders)
    end = ".+" if last == "**" else f"{_segment(last)}(?:/.*)?"
    return re.compile(begin + end, re.DOTALL)


def _segment(glob: str) -> str:
    parts = {"*": "[^/]*", "?": "[^/]"}
    return "".join(parts.get(each, re.escape(each)) for each in re.sub(r"\*+", "*", glob))
