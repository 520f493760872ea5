"""What reports, the console and artifacts may show of a workspace's files."""

from pathlib import Path
from typing import Final

from flyball.settings import FILE_NAME, masked

_HAVE_CONNECTIONS: Final = (b"connectionDetails", b"dataSourceSpec")  # OpenSLO's, which may hold anything


def showable(path: str, content: bytes) -> bytes:
    """The content of a file without its secrets: settings, and files that hold connections, are masked."""
    if Path(path).name == FILE_NAME or any(word in content for word in _HAVE_CONNECTIONS):
        return masked(content)
    return content
