"""How the lines of a plan are laid out on a terminal."""

import textwrap
from collections.abc import Sequence
from typing import Final

_WIDTH: Final = 80
_COLOURS: Final = {"+": "32", "-": "31", "~": "33", "!": "35"}


def wrapped(words: str, first: str, following: str) -> Sequence[str]:
    """Lines of at most 80 columns, where words allow it."""
    return textwrap.wrap(
        words,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def painted(text: str, sign: str, coloured: bool) -> str:
    """The text in the colour of its sign: `+`, `-`, `~` or `!`."""
    return f"\x1b[{_COLOURS[sign]}m{text}\x1b[0m" if coloured else text
