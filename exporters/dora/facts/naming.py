"""How facts call what events refer to, so that the same thing has one name."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from exporters.dora.facts.purls import is_revision
from exporters.dora.facts.statements import LONGEST_ID, Statement, as_name, last_name
from exporters.dora.policy.model import DeliveryPolicy
from exporters.events.entities import repository_name

LONGEST_BRANCH: Final = 300
_BRANCH: Final = re.compile(r"^refs/heads/")
_NUMBER: Final = re.compile(r"[#!]?(\d{1,18})")
_ELSEWHERE: Final = re.compile(r"([^\s#!]+/[^\s#!]+)[#!](\d{1,18})")
_REVERTS: Final = re.compile(
    r"^This reverts (?:commit ([0-9a-f]{7,64})|merge request ([^\s#!]*![0-9]+))|^Reverts ([^\s#!]*[#!][0-9]+)",
    re.MULTILINE,
)


def revision(text: str) -> str:
    """A revision; hashes in small letters, as git writes them."""
    return text.lower() if is_revision(text) else text


def change_key(text: str, repository: str) -> str:
    """The key of a change that an event refers to by a number, a revision, or in full.

    `12`, `#12`, `!12` and `@1f2e3d4`, `1f2e3d4` are of `repository`; `acme/shop#12` is on the same host, and
    `github.com/acme/shop#12` says all. Without a repository they stay as they are.
    """
    if elsewhere := _ELSEWHERE.fullmatch(text):
        return f"{_full_name(elsewhere[1], repository)}#{elsewhere[2]}"
    if not repository:
        return text
    if number := _NUMBER.fullmatch(text):
        return f"{repository}#{number[1]}"
    bare = text.removeprefix("@")
    if is_revision(bare):
        return f"{repository}#@{bare.lower()}"
    place, mark, id_ = text.rpartition("#")
    return f"{repository_name(place)}#{id_}" if mark and place else f"{repository}#{text}"


def reverted(text: str, repository: str) -> str:
    """What a change takes back: a change's key, or a bare revision."""
    bare = text.removeprefix("@")
    return bare.lower() if is_revision(bare) else change_key(text, repository) if text else ""


def reverted_in(description: str, repository: str) -> str:
    """What a description says to be taken back, in the words of git, GitHub and GitLab; empty when it says nothing."""
    found = _REVERTS.search(description)
    return reverted(next(text for text in found.groups() if text), repository) if found else ""


def is_hotfix(said: Sequence[Statement], title: str, policy: DeliveryPolicy) -> bool:
    """Whether the policy takes it for a hotfix: by a label, its branch, or its title; cases don't matter.

    The last list of labels counts, even an empty one: labels are taken off, too.
    """
    labels = next((each.names("labels") for each in reversed(said) if isinstance(each.own.get("labels"), list)), ())
    if {label.casefold() for label in labels} & {label.casefold() for label in policy.hotfix_labels}:
        return True
    branch = last_name(said, "branch", LONGEST_BRANCH)
    return _fits(_BRANCH.sub("", branch), policy.hotfix_branches) or _fits(title, policy.hotfix_titles)


def repository_of(statement: Statement) -> str:
    """The repository that it names itself."""
    return _repository(statement.name("repository", LONGEST_ID))


def repository_referred(statement: Statement) -> str:
    """The repository in which a change is: the subject's content."""
    return _repository(statement.referred("repository"))


def perhaps_repository(text: str) -> str:
    """A text as a repository, if it looks like one: it has a host and a path."""
    name = _repository(as_name(text, LONGEST_ID))
    host, _, path = name.partition("/")
    return name if "." in host and path else ""


@lru_cache(maxsize=4096)
def _repository(text: str) -> str:
    return repository_name(text) if text else ""


def _full_name(path: str, repository: str) -> str:
    host, slash, _ = repository.partition("/")
    has_host = "." in path.partition("/")[0]
    return repository_name(path if has_host or not slash or "." not in host else f"{host}/{path}")


def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    folded = text.casefold()
    return bool(folded) and any(fnmatchcase(folded, pattern.casefold()) for pattern in patterns)
