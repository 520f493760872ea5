"""Pages that are written from the code."""

import os
from pathlib import Path


def written(path: Path, text: str) -> None:
    """The page says what the code says; with FLYBALL_GOLDEN it is written anew."""
    if os.environ.get("FLYBALL_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text
