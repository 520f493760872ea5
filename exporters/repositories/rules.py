"""The alert that tells when deliveries are not read any more: metrics without news look like a calm week."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane import delivery_names
from controlplane.model.rule import AlertingRule, RuleFile, RuleGroup
from exporters.repositories.model import Repository

FILE: Final = "delivery-repositories.yaml"
EVERY: Final = timedelta(minutes=1)
_HOLD: Final = timedelta(minutes=15)
_LEAST: Final = timedelta(hours=1)
_TURNS: Final = 3  # that may fail before anybody is told


def rule_files(repositories: Sequence[Repository], *, external_url: str = "") -> tuple[RuleFile, ...]:
    """One file; none where no repository is declared."""
    if not repositories:
        return ()
    rules = tuple(_rules(repositories, external_url.rstrip("/")))
    return (RuleFile(FILE, (RuleGroup("delivery:repositories", EVERY, rules),)),)


def _rules(repositories: Sequence[Repository], page: str) -> Iterator[AlertingRule]:
    """One for those that are read equally often."""
    by_limit: dict[timedelta, list[str]] = {}
    for repository in repositories:
        by_limit.setdefault(max(_LEAST, _TURNS * repository.every), []).append(repository.name)
    for limit, found in sorted(by_limit.items()):
        yield _rule(limit, sorted(found), page)


def _rule(limit: timedelta, found: Sequence[str], page: str) -> AlertingRule:
    label = delivery_names.REPOSITORY
    matcher = f'{{{label}=~"{"|".join(re.escape(name) for name in found)}"}}'.replace("\\-", "-")
    last = f"max by ({label}) ({delivery_names.COLLECTED}{matcher})"
    failing = f"max by ({label}) ({delivery_names.COLLECTOR_FAILING}{matcher})"
    seconds = int(limit.total_seconds())
    repository = f"{{{{ $labels.{label} }}}}"
    links = ((names.DASHBOARD_URL, f"{page}/delivery"),) if page else ()
    return AlertingRule(
        delivery_names.ALERT_REPOSITORY,
        f"time() - {last} > {seconds}\nor\n({failing} == 1\nunless on ({label})\n{last})",
        ((names.SEVERITY, names.SEVERITY_TICKET),),
        (
            (names.SUMMARY, f"Deliveries of {repository} are not read any more"),
            (
                names.DESCRIPTION,
                "Changes and deployments since then are missing from its metrics. Say "
                f"`flyball dora collect {repository}` to see why.",
            ),
            *links,
        ),
        hold=_HOLD,
    )
