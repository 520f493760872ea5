"""What a git repository is asked: refs, lines of history, commits, and the files that they touch."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from controlplane.ports import Permanent
from exporters.repositories.adapters.git_command import Git
from exporters.repositories.history.commits import FORMAT, Commit, commits, moment
from exporters.repositories.history.releases import Tag

_TAG_FIELDS: Final = (
    "refname:strip=2", "objectname", "objecttype", "*objectname", "*objecttype",
    "taggerdate:unix", "committerdate:unix", "*committerdate:unix",
)  # fmt: skip
_TAG_FORMAT: Final = "%00".join(f"%({field})" for field in _TAG_FIELDS)
_OLD_IN_A_ROW: Final = 200  # commits before `since`: dates of neighbours may lie hours apart, whole lines do not
_LOG: Final = ("log", "-z", f"--format={FORMAT}", "--no-color", "--no-notes", "--no-decorate", "--encoding=UTF-8")


@dataclass(frozen=True, slots=True)
class RawTag:
    """A tag as git has it. `sha` is the commit's; times in seconds, 0 where there is none."""

    name: str
    sha: str
    tagged: int
    committed: int

    def placed(self, latest: datetime) -> Tag | None:
        """With its time: when it was made, else when its commit was; None when no clock can have told either."""
        at = moment(self.tagged, latest) or moment(self.committed, latest)
        return None if at is None else Tag(at, self.name, self.sha)


@dataclass(frozen=True, slots=True)
class GitReading:
    """Reads one repository; nothing in it is changed."""

    git: Git

    def ensure_whole(self) -> None:
        """Raise `Permanent` for a shallow clone: what its history does not have would look like new work."""
        if self.git.text("rev-parse", "--is-shallow-repository").strip() == "true":
            raise Permanent(
                "it is a shallow clone, whose history ends somewhere: fetch the rest "
                "(git fetch --unshallow; fetch-depth: 0 in GitHub Actions)"
            )

    def tip(self, branch: str) -> str:
        """The commit that a branch, or HEAD when it is empty, leads to. `Permanent` when there is none."""
        wanted = f"refs/heads/{branch}" if branch else "HEAD"
        found = self._commit(wanted) or (self._commit(f"refs/remotes/origin/{branch}") if branch else "")
        if not found:
            raise Permanent(f"there is no branch {branch}" if branch else "it has no commits yet")
        return found

    def has(self, sha: str) -> bool:
        """Whether a commit is still there."""
        return bool(re.fullmatch(r"[0-9a-f]{40,64}", sha)) and bool(self._commit(sha))

    def common(self, one: str, other: str) -> str:
        """Where two lines parted; empty when they have nothing in common."""
        try:
            return self.git.text("merge-base", one, other).strip()
        except Permanent:
            return ""

    def tags(self) -> list[RawTag]:
        """Tags that lead to commits, by name."""
        found: list[RawTag] = []
        text = (piece for piece in self.git.fields("for-each-ref", f"--format={_TAG_FORMAT}%00", "refs/tags"))
        row: list[str] = []
        for piece in text:
            row.append(piece.decode(errors="replace").lstrip("\n"))
            if len(row) == len(_TAG_FIELDS):
                if tag := _tag(row):
                    found.append(tag)
                row = []
        return found

    def line_since(self, tip: str, since: datetime) -> tuple[list[str], str]:
        """The commits of the line that ends with `tip`, newest first, back to `since`, and the first one before them.

        The latter is empty when the line begins later.
        """
        oldest = int(since.timestamp())
        found: list[str] = []
        end, old = 0, 0
        for piece in self.git.fields("log", "-z", "--first-parent", "--format=%H %ct", tip):
            sha, _, seconds = piece.decode("ascii", "replace").strip().partition(" ")
            found.append(sha)
            is_old = not (seconds.isdigit() and int(seconds) >= oldest)
            old = old + 1 if is_old else 0
            end = end if is_old else len(found)
            if old >= _OLD_IN_A_ROW:
                break
        return found[:end], found[end] if end < len(found) else ""

    def history(self, included: Iterable[str], excluded: Iterable[str]) -> dict[str, Commit]:
        """All commits that can be reached from some and from none of the others, newest first."""
        given = [*included, *(f"^{sha}" for sha in excluded if sha)]
        return {commit.sha: commit for commit in commits(self.git.fields(*_LOG, "--stdin", given=given))}

    def touched(self, found: Sequence[Commit]) -> Iterator[tuple[str, list[str]]]:
        """Each of the commits with the files in which it differs from its first parent."""
        wanted = {commit.sha for commit in found}
        given = (" ".join((commit.sha, *commit.parents[:1])) for commit in found)
        command = ("diff-tree", "--stdin", "-r", "-z", "--root", "--always", "--name-only", "--no-renames")
        sha, files = "", list[str]()
        for piece in self.git.fields(*command, given=given):
            text = piece.decode(errors="replace")
            if text in wanted:
                if sha:
                    yield sha, files
                sha, files = text, []
            else:
                files.append(text)
        if sha:
            yield sha, files

    def _commit(self, revision: str) -> str:
        """Its hash; empty when there is none."""
        try:
            return self.git.text(
                "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
            ).strip()
        except Permanent:
            return ""


def _tag(row: list[str]) -> RawTag | None:
    name, sha, kind, inner, inner_kind, tagged, committed, inner_committed = row
    if kind == "commit":
        return RawTag(name, sha, 0, _seconds(committed))
    return RawTag(name, inner, _seconds(tagged), _seconds(inner_committed)) if inner_kind == "commit" else None


def _seconds(text: str) -> int:
    bare = text.strip()
    return int(bare) if bare.lstrip("-").isdigit() and len(bare) < 13 else 0
