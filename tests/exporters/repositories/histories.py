"""Real git repositories with given dates, written by `git fast-import`."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 6, 1, 9, tzinfo=UTC)
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    """So many days after the start."""
    return START + timedelta(days=number)


@dataclass
class History:
    """Commands of fast-import. Marks are numbers; `sha` gives their hashes once it is written."""

    folder: Path
    lines: list[bytes] = field(default_factory=list)
    marks: int = 0
    heads: dict[str, int] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)

    def commit(
        self,
        title: str,
        at: datetime | int,
        *,
        branch: str = "main",
        authored: datetime | int | None = None,
        merges: Sequence[int] = (),
        after: int | None = None,
        files: Sequence[str] = (),
        author: str = "ada@example.com",
    ) -> int:
        """A commit on a branch; `after` begins the branch there, or moves it."""
        self.marks += 1
        parent = after if after is not None else self.heads.get(branch)
        message, begun = title.encode(), authored if authored is not None else at
        self.lines += [
            f"commit refs/heads/{branch}".encode(),
            f"mark :{self.marks}".encode(),
            f"author Ada <{author}> {_seconds(begun)} +0200".encode(),
            f"committer Ada <ada@example.com> {_seconds(at)} +0000".encode(),
            b"data %d" % len(message),
            message,
        ]
        if parent is not None:
            self.lines.append(f"from :{parent}".encode())
        self.lines += [f"merge :{mark}".encode() for mark in merges]
        for name in files or [f"file-{self.marks}"]:
            content = f"{self.marks}".encode()
            self.lines += [f"M 100644 inline {name}".encode(), b"data %d" % len(content), content]
        self.heads[branch] = self.marks
        return self.marks

    def tag(self, name: str, mark: int, at: datetime | int | None = None) -> None:
        """An annotated tag when it has a time, else a bare one."""
        if at is None:
            self.lines += [f"reset refs/tags/{name}".encode(), f"from :{mark}".encode(), b""]
            return
        self.lines += [
            f"tag {name}".encode(),
            f"from :{mark}".encode(),
            f"tagger Ada <ada@example.com> {_seconds(at)} +0000".encode(),
            b"data 1",
            b"x",
        ]

    def write(self) -> Path:
        """Add what was said since the last time to the repository; it is bare."""
        if not (self.folder / "HEAD").exists():
            git("init", "-q", "--bare", "-b", "main", str(self.folder))
        marks = self.folder / "marks"
        kept = (f"--import-marks-if-exists={marks}", f"--export-marks={marks}")
        stream = b"\n".join([*self.lines, b""])
        git("fast-import", "--quiet", "--force", "--date-format=raw-permissive", *kept, at=self.folder, given=stream)
        self.hashes = {
            int(mark[1:]): sha for mark, sha in (text.split() for text in marks.read_text().splitlines())
        }  # fmt: skip
        self.lines = []
        return self.folder

    def sha(self, mark: int) -> str:
        """The hash of a commit that was written."""
        return self.hashes[mark]


def git(*arguments: str, at: Path | None = None, given: bytes = b"") -> str:
    """Run git as these tests need it; nobody's settings count."""
    environment = {
        "PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com", "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
    }  # fmt: skip
    where = ["--git-dir", str(at)] if at is not None else []
    done = subprocess.run(["git", *where, *arguments], input=given, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def _seconds(at: datetime | int) -> int:
    return at if isinstance(at, int) else int(at.timestamp())
