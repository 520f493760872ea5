"""Which changes a push to the default branch brings: requests that were merged, and commits that had none.

A payload names commits and not their parents, so that what belongs together is told by the words that git, GitHub and
GitLab write when they merge:

- a merge of a request is one change with everything before it, and its first commit is the earliest of them;
- one that was squashed has nothing before it: when its work began the one commit does not tell;
- any other merge is one change with everything before it; one of the default branch into itself brings nothing;
- every other commit is a change of its own.

A push that rewrites history (forced), or begins it, is one change, its head: its commits may have been counted before,
and a deployment of the head must find what it stands on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from exporters.events.translating.conventions import remedied, reverted
from exporters.events.translating.making import Own
from exporters.events.translating.reading import LONGEST_TITLE, line

NOTHING: Final = re.compile(r"0{40,64}")  # git's word for no commit
_AT_ONCE: Final = timedelta(minutes=1)
_GITHUB_MERGE: Final = re.compile(r"Merge pull request #(\d{1,18}) from ")
_GITLAB_MERGE: Final = re.compile(r"^See merge request [^\s!]*!(\d{1,18})$", re.MULTILINE)
_TITLED: Final = re.compile(r"[^\n]* \(#(\d{1,18})\)(?:\n|$)")
_MERGE: Final = re.compile(r"Merge (?:remote-tracking )?(?:branch|tag|commit|branches) ['\"]?([^'\"\n]*)")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a push. `is_by_host`: the host made it, on merging a request."""

    revision: str
    message: str
    at: datetime
    url: str = ""
    is_by_host: bool = False

    @property
    def title(self) -> str:
        """Its first line."""
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Brought:
    """A change that a push brings. `number` is its request's, or `@` and its revision."""

    number: str
    head: Commit
    first_commit_at: datetime | None = None

    def own(self, branch: str) -> Own:
        """What our own fields say of it. A request says itself what it is called and takes back."""
        head = self.head
        told: Own = {
            "revision": head.revision,
            "firstCommitAt": self.first_commit_at,
            "remedies": remedied(head.message),
        }
        if not self.number.startswith("@"):
            return told
        title, reverts = line(head.title)[:LONGEST_TITLE], reverted(head.title, head.message)
        return {**told, "reverts": reverts, "title": title, "url": head.url, "branch": branch}


@dataclass(slots=True)
class _Reader:
    branch: str
    head: str
    is_cut: bool  # older commits of the push are not named
    brought: list[Brought] = field(default_factory=list)
    waiting: list[Commit] = field(default_factory=list)  # commits that the next merge may belong to

    def read(self, commit: Commit) -> None:
        """The next one."""
        number = _merged(commit)
        if number:
            self._close(number, commit)
        elif (merge := _MERGE.match(commit.message)) is None:
            self.waiting.append(commit)
        elif commit.revision == self.head or not self._is_own_branch(merge[1]):
            self._close(f"@{commit.revision}", commit)

    def flush(self) -> None:
        """Commits that no merge came for are changes of their own."""
        self.brought += [Brought(f"@{each.revision}", each, each.at) for each in self.waiting]
        self.waiting, self.is_cut = [], False

    def _close(self, number: str, merge: Commit) -> None:
        began = min((each.at for each in self.waiting), default=merge.at)
        is_told = self.waiting and not self.is_cut and (number[0] == "@" or merge.at - began > _AT_ONCE)
        self.brought.append(Brought(number, merge, began if is_told else None))
        self.waiting, self.is_cut = [], False

    def _is_own_branch(self, name: str) -> bool:
        return name.removeprefix("origin/") == self.branch or name.startswith(f"{self.branch} of ")


def brought(commits: Sequence[Commit], *, branch: str, head: str, is_cut: bool) -> list[Brought]:
    """The changes of a push, oldest first. `head` is the revision that the branch has now."""
    reader = _Reader(branch, head, is_cut)
    for commit in commits:
        reader.read(commit)
    reader.flush()
    return reader.brought


def _merged(commit: Commit) -> str:
    """The number of the request that a commit merges; empty for any other."""
    found = _GITHUB_MERGE.match(commit.message)
    if found is None and commit.is_by_host:
        found = _TITLED.match(commit.message)
    if found is None and commit.title.startswith("Merge branch "):
        found = _GITLAB_MERGE.search(commit.message)
    return found[1] if found else ""
