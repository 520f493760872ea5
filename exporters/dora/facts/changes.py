"""A change, and an artifact, from all that was said about them.

A change exists as soon as one event says that it was merged, and never stops to: the **first** `change.merged` is its
time. The first commit, the opening and the approval are the earliest that anybody tells (force-pushing loses commits,
it never makes work begin later); an approval after the merge is none. A first commit after the merge stays as it was
said: whoever measures must see the contradiction. All else: the last word that is not empty.
"""

from collections.abc import Sequence
from datetime import datetime

from controlplane.model.delivery import Artifact, Change
from exporters.dora.facts import naming
from exporters.dora.facts.purls import UNKNOWN, is_revision, origin, parse
from exporters.dora.facts.statements import (
    LONGEST_ID,
    Statement,
    as_name,
    earliest,
    last,
    last_flag,
    last_name,
    last_url,
)
from exporters.dora.policy.model import DeliveryPolicy


def change_of(key: str, said: Sequence[Statement], policy: DeliveryPolicy) -> Change | None:
    """The change; None while nothing says that it was merged."""
    merged_at = earliest(statement.time for statement in said if statement.predicate == "merged")
    place, _, number = key.rpartition("#")
    repository = last(said, naming.repository_referred) or place
    if merged_at is None or not repository:
        return None
    title = last(said, lambda statement: statement.title("title")) or ""
    flagged = last_flag(said, "hotfix")
    return Change(
        id=key,
        repository=repository,
        merged_at=merged_at,
        revision=_revision(said, number),
        first_commit_at=earliest(statement.when("firstCommitAt") for statement in said),
        opened_at=_opened(said),
        approved_at=_approved(said, merged_at),
        services=_services(said, policy),
        reverts=_reverts(said, repository),
        is_hotfix=naming.is_hotfix(said, title, policy) if flagged is None else flagged,
        remedies=last_name(said, "remedies", LONGEST_ID),
        title=title,
        url=last_url(said),
    )


def artifact_of(key: str, said: Sequence[Statement]) -> Artifact:
    """The artifact: from which change it was made (a change's key), and from which revision of which repository.

    `customData.flyball` says it, else `content.change` (whose source may be a repository's address), else the package
    URL. A change that is named by a revision is no change's key but the revision.
    """
    purl = parse(key)
    made_from = origin(purl) if purl is not None else UNKNOWN
    placed = last(said, lambda statement: naming.perhaps_repository(statement.referred("change", "source")))
    repository = last(said, naming.repository_of) or placed or made_from.repository
    commit = last_name(said, "revision")
    change = last(said, lambda statement: statement.referred("change")) or ""
    if is_revision(change.removeprefix("@")):
        commit, change = commit or change.removeprefix("@"), ""
    if not commit and repository == made_from.repository:
        commit = made_from.revision
    change = naming.change_key(change, repository) if change else ""
    repository = repository or naming.perhaps_repository(change.rpartition("#")[0])
    return Artifact(
        id=key,
        change=change,
        repository=as_name(repository, LONGEST_ID),
        revision=as_name(naming.revision(commit)),
    )


def _revision(said: Sequence[Statement], number: str) -> str:
    merges = [statement for statement in said if statement.predicate == "merged"]
    commit = last_name(merges, "revision")
    return naming.revision(commit or (number[1:] if number.startswith("@") else ""))


def _opened(said: Sequence[Statement]) -> datetime | None:
    created = (statement.time for statement in said if statement.predicate == "created")
    return earliest([*created, *(statement.when("openedAt") for statement in said)])


def _approved(said: Sequence[Statement], merged_at: datetime) -> datetime | None:
    """Our own `approvedAt`, else the first review: CDEvents does not tell what a review came to."""
    approved = [at for statement in said if (at := statement.when("approvedAt")) and at <= merged_at]
    reviewed = [each.time for each in said if each.predicate == "reviewed" and each.time <= merged_at]
    return earliest(approved or reviewed)


def _services(said: Sequence[Statement], policy: DeliveryPolicy) -> tuple[str, ...]:
    named = last(said, lambda statement: statement.names("services")) or ()
    return tuple(sorted({policy.service(name) for name in named}))


def _reverts(said: Sequence[Statement], repository: str) -> str:
    named = last_name(said, "reverts", LONGEST_ID)
    if named:
        return naming.reverted(named, repository)
    return last(said, lambda statement: naming.reverted_in(_description(statement), repository)) or ""


def _description(statement: Statement) -> str:
    text = statement.content.get("description")
    return text[:20_000] if isinstance(text, str) else ""
