"""A deployment, from all that was said about it.

- **Kind.** Rolled back when only `service.rolledback` tells of it, or one that names what it undoes; else upgraded when
  one says so, else deployed. Removed only when nothing but `service.removed` does: what was deployed stays deployed.
- **Outcome.** The last word counts: `customData.flyball.outcome`, else succeeded. A `rolledback` about the very
  deployment that another event says was made, and that undoes nothing else, says that it failed.
- **Time.** Succeeded: the first time that was said after the last failure. Failed: the first word about it, as it has
  reached users since then. It began at the earliest `startedAt`, unless that is later.
- **All else.** The last word that is not empty counts; artifacts are those of all events. Repository and revision come
  from our own fields, else from the artifacts' package URLs.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Final

from controlplane.model.delivery import Deployment, DeploymentKind, DeploymentOutcome
from exporters.dora.facts.naming import change_key, is_hotfix, repository_of, revision
from exporters.dora.facts.purls import UNKNOWN, Origin, Purl, origin, parse, version_of
from exporters.dora.facts.statements import (
    LONGEST_ID,
    LONGEST_NAME,
    Statement,
    as_name,
    earliest,
    last,
    last_flag,
    last_name,
    last_url,
)
from exporters.dora.policy.model import DeliveryPolicy

MOST_ARTIFACTS: Final = 20
_ARRIVALS: Final = ("deployed", "upgraded", "rolledback")
_OUTCOMES: Final = {outcome.value: outcome for outcome in DeploymentOutcome}
_FAILED: Final = DeploymentOutcome.FAILED


def deployment_of(key: str, said: Sequence[Statement], policy: DeliveryPolicy) -> Deployment | None:
    """The deployment; None while nothing says that, where and what was deployed."""
    arrivals = [statement for statement in said if statement.predicate in _ARRIVALS]
    told = arrivals or [statement for statement in said if statement.predicate == "removed"]
    service = policy.service(last(told, lambda statement: as_name(statement.subject)) or "")
    environment = policy.environment(
        last(told, lambda statement: statement.referred("environment", most=LONGEST_NAME)) or ""
    )
    if not told or not service or not environment:
        return None
    kind = _kind(arrivals)
    outcome, at = _end(told, kind)
    began = earliest(statement.when("startedAt") for statement in told)
    artifacts = _artifacts(told)
    purls = [purl for text in reversed(artifacts) if (purl := parse(text)) is not None]
    source = _source(told, purls)
    unplanned = last_flag(told, "unplanned")
    return Deployment(
        id=key,
        service=service,
        environment=environment,
        at=at,
        kind=kind,
        outcome=outcome,
        started_at=began if began is not None and began <= at else None,
        version=last_name(told, "version") or _version(purls),
        artifacts=tuple(sorted(artifacts)),
        repository=source.repository,
        revision=source.revision,
        changes=_changes(told, source.repository),
        undoes=last_name(told, "undoes", LONGEST_ID),
        remedies=last_name(told, "remedies", LONGEST_ID),
        is_unplanned=is_hotfix(told, "", policy) if unplanned is None else unplanned,
        run=last_name(told, "run", LONGEST_ID),
        url=last_url(told),
        trace_id=last(told, lambda statement: statement.trace_id) or "",
    )


def _kind(arrivals: Sequence[Statement]) -> DeploymentKind:
    if not arrivals:
        return DeploymentKind.REMOVED
    predicates = {statement.predicate for statement in arrivals}
    undoes = any(each.predicate == "rolledback" and each.name("undoes", LONGEST_ID) for each in arrivals)
    if predicates == {"rolledback"} or undoes:
        return DeploymentKind.ROLLED_BACK
    return DeploymentKind.UPGRADED if "upgraded" in predicates else DeploymentKind.DEPLOYED


def _end(told: Sequence[Statement], kind: DeploymentKind) -> tuple[DeploymentOutcome, datetime]:
    outcomes = [_outcome(statement, kind) for statement in told]
    if outcomes[-1] is _FAILED:
        return _FAILED, told[0].time
    successes = sum(1 for _ in takewhile(lambda outcome: outcome is not _FAILED, reversed(outcomes)))
    return outcomes[-1], told[-successes].time


def _outcome(statement: Statement, kind: DeploymentKind) -> DeploymentOutcome:
    is_undone = statement.predicate == "rolledback" and kind is not DeploymentKind.ROLLED_BACK
    return _FAILED if is_undone else _OUTCOMES.get(statement.name("outcome"), DeploymentOutcome.SUCCEEDED)


def _artifacts(told: Sequence[Statement]) -> list[str]:
    """Those that were named last, each once, the last one at the end."""
    found: dict[str, None] = {}
    for statement in told:
        if text := as_name(statement.content.get("artifactId"), LONGEST_ID):
            found.pop(text, None)
            found[text] = None
    return list(found)[-MOST_ARTIFACTS:]


def _source(told: Sequence[Statement], purls: Sequence[Purl]) -> Origin:
    repository = last(told, repository_of) or ""
    commit = last_name(told, "revision")
    for purl in purls:
        made_from = origin(purl)
        if made_from is UNKNOWN or (repository and repository != made_from.repository):
            continue
        repository = made_from.repository
        commit = commit or as_name(made_from.revision)
    return Origin(as_name(repository, LONGEST_ID), revision(commit))


def _version(purls: Sequence[Purl]) -> str:
    return next((text for purl in purls if (text := as_name(version_of(purl)))), "")


def _changes(told: Sequence[Statement], repository: str) -> tuple[str, ...]:
    named = last(told, lambda statement: statement.names("changes", LONGEST_ID)) or ()
    return tuple(dict.fromkeys(change_key(text, repository) for text in named))
