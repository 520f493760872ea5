"""Clones that are kept: bare, without the content of files, brought up to date by fetching.

One process at a time works on a clone; what an earlier one left half done when it died is taken away first.
"""

import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from controlplane.ports import Permanent, Transient
from exporters.repositories.adapters.git_command import Git

FETCH_SECONDS: Final = 1800.0
_LOCK_SECONDS: Final = 30.0
_PAUSE_SECONDS: Final = 0.05
_COMPLETE: Final = "flyball-complete"  # a file: a fetch has ended well here
_SEEN: Final = "refs/flyball/seen/"
_HEAD: Final = re.compile(r"^ref: refs/heads/(\S+)\tHEAD$", re.MULTILINE)
_SHA: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class Clone:
    """One clone of `url` in `folder` (made where it is not there)."""

    def __init__(self, git: Git, url: str, folder: Path, *, fetch_seconds: float = FETCH_SECONDS) -> None:
        name = re.sub(r"[^a-z0-9]+", "-", url.lower().split("://", 1)[-1].split("@", 1)[-1]).strip("-")[:60]
        digest = hashlib.sha256(url.encode()).hexdigest()[:12]
        self.path: Final = folder.resolve() / f"{name}-{digest}.git"  # git is run in no folder of ours
        self._git = git
        self._url = url
        self._seconds = fetch_seconds

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While nobody else works on it. Raises `Transient` when somebody does for too long."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("w") as file:
            end = time.monotonic() + _LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise Transient("another process is reading the same repository") from None
                    time.sleep(_PAUSE_SECONDS)
            yield

    def fetch(self, branch: str) -> str:
        """Bring branch and tags up to date; the branch that was fetched: empty asks for the remote's own one.

        The clone is locked by whoever calls.
        """
        if self.path.exists() and not (self.path / _COMPLETE).exists():
            shutil.rmtree(self.path)
        if not self.path.exists():
            self._make()
        _take_away_locks(self.path)
        branch = branch or self._default_branch()
        refs = (f"+refs/heads/{branch}:refs/heads/{branch}", "+refs/tags/*:refs/tags/*")
        self._in().text(
            "fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules",
            "--filter=blob:none", "origin", *refs, seconds=self._seconds,
        )  # fmt: skip
        (self.path / _COMPLETE).touch()
        return branch

    def keep(self, name: str, sha: str) -> None:
        """Keep what can be reached from a commit, even when no branch leads there any more."""
        if _SHA.fullmatch(sha):
            self._git.at(self.path).text("update-ref", f"{_SEEN}{name}", sha)

    def _make(self) -> None:
        """In a folder aside first: a clone that is there has its settings."""
        aside = self.path.with_suffix(".new")
        shutil.rmtree(aside, ignore_errors=True)
        self._git.text("init", "--quiet", "--bare", "--template=", "--", str(aside))
        settings = {"url": self._url, "promisor": "true", "partialCloneFilter": "blob:none"}
        for key, value in settings.items():
            self._git.text("config", "--file", str(aside / "config"), f"remote.origin.{key}", value)
        aside.rename(self.path)

    def _default_branch(self) -> str:
        found = _HEAD.search(self._in().text("ls-remote", "--symref", "origin", "HEAD"))
        if found is None:
            raise Permanent("the repository names no branch of its own: write `branch`")
        return found[1]

    def _in(self) -> Git:
        """git in the clone, with what it takes to reach the remote."""
        git = self._git
        return Git(git.environment, self.path, git.credential, git.quick_seconds, git.read_seconds, git.most_bytes)


def _take_away_locks(path: Path) -> None:
    """Lock files and half packs of a git that was killed; whoever holds our lock is alone here."""
    for folder, _, names in os.walk(path):
        for name in names:
            if name.endswith(".lock") or name.startswith("tmp_pack_"):
                with suppress(OSError):
                    (Path(folder) / name).unlink()
