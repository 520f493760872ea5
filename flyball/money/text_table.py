"""Tables for a terminal: texts to the left, figures to the right."""

from collections.abc import Sequence
from typing import Final

from controlplane.problem_report import printable

_WIDEST: Final = 100  # characters of a cell: a bill's texts have no bounds


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned columns, two blanks apart; the first `left` ones hold texts, the others figures. Nothing without rows.

    Texts come from bills: what a terminal would take for commands or line ends is replaced, what is very long is cut.
    """
    if not rows:
        return ""
    lines = [[_cell(text) for text in row] for row in (header, *rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cell(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _WIDEST else f"{shown[: _WIDEST - 1]}…"
