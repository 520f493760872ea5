"""Generated files on disk: all of them or none, and no leftovers of an earlier run."""

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.adapters.files import MANIFEST, generated_in

_HEADER: Final = "# Files that `flyball compile` wrote here; it removes them when they are no longer needed.\n"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run changed; paths below the folder, sorted."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: int


def write_generated(folder: Path, files: Mapping[str, str]) -> Outcome:
    """Make the files (by path below `folder`) the only generated ones there. Files that we did not write stay.

    New content is complete on disk before the first file is replaced, so a full disk changes nothing. A crash then
    leaves whole files, some old and some new, and the next run puts them right. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    earlier = generated_in(folder)
    changed = {name: text.encode() for name, text in sorted(files.items()) if _content(folder / name) != text.encode()}
    stale = sorted(name for name in earlier - files.keys() if (folder / name).is_file())
    if changed or earlier != files.keys():
        _replace(folder, changed, earlier | files.keys())
        for name in stale:
            (folder / name).unlink()
        _note(folder, set(files))
    return Outcome(tuple(changed), tuple(stale), len(files) - len(changed))


def _replace(folder: Path, changed: Mapping[str, bytes], noted: set[str]) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".flyball-new-", dir=folder))
    try:
        for number, content in enumerate(changed.values()):
            _write(staging / str(number), content)
        _note(folder, noted)
        for number, name in enumerate(changed):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (staging / str(number)).replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _note(folder: Path, names: set[str]) -> None:
    """Remember which files are ours, before they appear and after they are gone."""
    draft = folder / f"{MANIFEST}.new"
    _write(draft, (_HEADER + "".join(f"{name}\n" for name in sorted(names))).encode())
    draft.replace(folder / MANIFEST)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fdatasync(file.fileno())
