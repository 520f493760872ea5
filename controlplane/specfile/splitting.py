"""Where the documents of a file begin and end, found before any of them is parsed.

A line that begins with `---` or `...` always separates documents, even inside quotes or brackets that somebody forgot
to close; so what is broken in one document leaves the others readable.
"""

import re
from collections.abc import Iterator
from typing import Final

_SEPARATOR: Final = re.compile(r"(?:(?<=[\r\n])|\A)(?:---|\.\.\.)(?=[ \t\r\n]|\Z)")
_BEFORE_FIRST: Final = re.compile(r"(?:[ \t]*(?:[#%][^\r\n]*)?(?:\r\n|\r|\n))*+")


def document_spans(text: str) -> Iterator[tuple[int, int]]:
    """The [start, end) of each document, together covering the text; some hold nothing but comments."""
    start = 0
    may_have_directives = True
    for match in _SEPARATOR.finditer(text):
        at = match.start()
        if match.group() == "...":
            yield start, match.end()
            start = match.end()
            may_have_directives = True
        else:
            if not (may_have_directives and _BEFORE_FIRST.fullmatch(text, start, at)):
                yield start, at
                start = at
            may_have_directives = False
    yield start, len(text)
