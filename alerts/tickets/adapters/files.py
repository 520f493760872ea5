"""Tickets as Markdown files in a folder, one each: to begin with, and to keep in git.

A file's name begins with its ticket's mark, so that there are never two of one key. A file that is there is replaced
as a whole, and what it says of its state is the state: whoever closes a ticket writes `state: closed`.
"""

import os
import re
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from alerts.tickets import marks, texts
from alerts.tickets.ports import Draft, Gone, Move, Opened
from controlplane.ports import Permanent, Transient

MOST_BODY: Final = 200_000
MOST_FILES: Final = 50_000
_MOST_BYTES: Final = 1_000_000
_STATE: Final = re.compile(r"^state: *(open|closed) *$", re.MULTILINE)
_NAME: Final = re.compile(r"[0-9a-f]{20}(-[a-z0-9-]{0,60})?\.md")


class FileTracker:
    """Implements `IssueTracker`. The folder is made when the first ticket is."""

    settles_within: Final = timedelta(0)

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str, since: datetime) -> Opened | None:
        """By its name."""
        return self._named(key)

    def open(self, draft: Draft) -> Opened:
        """A new file; the one that is there already, if one is."""
        there = self._named(draft.key)
        if there is not None:
            return there
        slug = re.sub(r"[^a-z0-9]+", "-", draft.title.lower())[:60].strip("-")
        name = f"{marks.digest(draft.key)}{f'-{slug}' if slug else ''}.md"
        self._write(name, _text(draft, is_open=True))
        return self._opened(name)

    def update(self, outside_id: str, draft: Draft, move: Move) -> None:
        """Replace it."""
        was_open = self.is_open(outside_id)
        self._write(outside_id, _text(draft, is_open=was_open if move is Move.STAYS else move is Move.REOPENS))

    def is_open(self, outside_id: str) -> bool:
        """As its head says; one whose head says nothing is open."""
        path = self._path(outside_id)
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES).decode(errors="replace")
        except FileNotFoundError:
            raise Gone(f"the ticket {path} is not there any more") from None
        except OSError as error:
            raise self._failed(error) from None
        head = content.split("\n---", 1)[0] if content.startswith("---\n") else ""
        state = _STATE.search(head)
        return state is None or state[1] == "open"

    def _named(self, key: str) -> Opened | None:
        prefix = marks.digest(key)
        try:
            found = sorted(each.name for each in self._folder.glob(f"{prefix}*.md"))
        except OSError as error:
            raise self._failed(error) from None
        return self._opened(found[0]) if found else None

    def _opened(self, name: str) -> Opened:
        return Opened(name, str(self._folder / name))

    def _path(self, outside_id: str) -> Path:
        if not _NAME.fullmatch(outside_id):
            raise Gone(f"`{outside_id[:80]}` is not a ticket of the folder {self._folder}")
        return self._folder / outside_id

    def _write(self, name: str, content: str) -> None:
        path = self._path(name)
        new = path.with_name(f".{name}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with new.open("w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            with suppress(OSError):
                new.unlink(missing_ok=True)
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> Transient | Permanent:
        said = f"tickets in {self._folder}: {(error.strerror or str(error)).lower()}"
        is_lasting = isinstance(error, (PermissionError, NotADirectoryError, FileExistsError))
        return Permanent(said) if is_lasting else Transient(said)


def _text(draft: Draft, *, is_open: bool) -> str:
    labels = ", ".join(texts.one_line(each, 50).replace('"', "") for each in draft.labels)
    quoted = texts.one_line(draft.title, 200).replace("\\", "\\\\").replace('"', '\\"')
    key = texts.one_line(draft.key, 500).replace("\\", "\\\\").replace('"', '\\"')
    head = f'---\ntitle: "{quoted}"\nstate: {"open" if is_open else "closed"}\nlabels: [{labels}]\nkey: "{key}"\n---\n'
    return f"{head}\n{texts.cut(draft.body, MOST_BODY).rstrip()}\n"
