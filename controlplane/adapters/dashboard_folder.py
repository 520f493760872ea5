"""Dashboards where Grafana's file provisioning picks them up."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from controlplane.model.generation import TextFile
from controlplane.ports import Permanent, Transient

_RECORD: Final = ".flyball-dashboards"  # names of the files that are ours; Grafana reads *.json only
_FILE_MODE: Final = 0o644  # Grafana runs as another user


class DashboardFolderOnDisk:
    """The folder that users call `grafana.dashboardsDirectory`; made when it is not there.

    Each file is replaced as a whole, and only when it changed. Files that we did not write are left alone.
    Implements `slo.ports.DashboardFolder`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()

    def publish(self, files: Sequence[TextFile]) -> int:
        """Write these and remove those of ours that are no longer wanted; the number of files that changed.

        Raises `Permanent` without permission or when a file of that name is not ours, `Transient` for other failures.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return self._publish({_checked(file.name): file.text for file in files})
        except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            raise Permanent(f"{error.filename or self._folder}: {error.strerror}") from error
        except OSError as error:
            raise Transient(f"{error.filename or self._folder}: {error.strerror}") from error

    def _publish(self, wanted: dict[str, str]) -> int:
        ours = self._ours()
        foreign = [name for name in wanted if name not in ours and (self._folder / name).exists()]
        if foreign:
            raise Permanent(f"{self._folder / foreign[0]} is not a dashboard of ours: move it away")
        self._remember(ours | wanted.keys())  # first, so that a crash leaves no file that we don't know as ours
        changed = sum(self._replace(name, text) for name, text in wanted.items())
        for name in ours - wanted.keys():
            path = self._folder / name
            changed += path.exists()
            path.unlink(missing_ok=True)
        self._remember(set(wanted))
        return changed

    def _ours(self) -> set[str]:
        try:
            names = json.loads((self._folder / _RECORD).read_bytes())
            return {_checked(name) for name in names}
        except FileNotFoundError:
            return set()
        except (ValueError, TypeError, AttributeError) as error:
            raise Permanent(f"{self._folder / _RECORD} is damaged: remove it and the dashboards beside it") from error

    def _remember(self, names: set[str]) -> None:
        self._replace(_RECORD, json.dumps(sorted(names)) + "\n")

    def _replace(self, name: str, text: str) -> bool:
        path, content = self._folder / name, text.encode()
        if path.is_file() and path.read_bytes() == content:
            return False
        handle, unfinished = tempfile.mkstemp(prefix=".flyball-", dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(content)
                out.flush()
                os.fchmod(out.fileno(), _FILE_MODE)
                os.fsync(out.fileno())
            Path(unfinished).rename(path)
        except OSError:
            Path(unfinished).unlink(missing_ok=True)
            raise
        return True


def _checked(name: str) -> str:
    if "/" in name or name.startswith(".") or not name.endswith(".json"):
        raise ValueError(f"not a name for a dashboard file: {name!r}")
    return name
