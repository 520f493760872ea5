"""Facts written as lines, and judgements told as lines: what tables of cases are made of.

A line is `TIME KIND ID words…`; a time is `HH:MM` of the first day, or `DAY/HH:MM` (the first is Monday, 2 March 2026).

    09:00   change     c1 rev=r1 first=08:00 opened=08:30 hotfix reverts=c0 remedies=i1 touches=shop
    10:00   deploys    d1 v=1 rev=r1 started=09:50 failed unplanned undoes=d0 remedies=i1 names=c1,c2 art=a1 run=x
    10:00   rolls-back d2 v=0
    10:00   removes    d3
    10:05   incident   i1 until=10:40 names=d1 of=shop drill
    12:00   correction i1 to=d2 | none | withdrawn
    00:00   artifact   a1 rev=r1 change=c1

Everything is of `shop` (`of=`) in production (`in=`), in repository `repo`, unless said otherwise.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from controlplane.model.delivery import (
    Artifact,
    Change,
    Correction,
    DeliveryIncident,
    Deployment,
    DeploymentKind,
    DeploymentOutcome,
)
from exporters.dora.model import JudgedDeployment
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.reckoning.gathering import gather_span
from exporters.dora.reckoning.judging import JudgedIncident, Reckoning, reckon
from tests.exporters.dora.reckoning.memory_log import Fact, MemoryLog

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
POLICY = DeliveryPolicy()
_KINDS = {
    "deploys": DeploymentKind.DEPLOYED,
    "rolls-back": DeploymentKind.ROLLED_BACK,
    "removes": DeploymentKind.REMOVED,
}


def at(text: str) -> datetime:
    day, _, clock = text.rpartition("/")
    hours, minutes = clock.split(":")
    return MONDAY + timedelta(days=int(day or 1) - 1, hours=int(hours), minutes=int(minutes))


def read(text: str) -> tuple[list[Fact], list[Correction]]:
    facts: list[Fact] = []
    corrections: list[Correction] = []
    for line in text.strip().splitlines():
        if line.strip() and not line.strip().startswith("#"):
            one = _fact(line.split(" # ")[0].split())
            (corrections if isinstance(one, Correction) else facts).append(one)  # type: ignore[arg-type]
    return facts, corrections


def _fact(words: list[str]) -> Fact | Correction:
    time, kind, id_, *rest = words
    said = {name: value for name, _, value in (word.partition("=") for word in rest)}

    def when(name: str) -> datetime | None:
        return at(said[name]) if name in said else None

    if kind == "change":
        return Change(
            id_, said.get("repo", "repo"), at(time), said.get("rev", ""), when("first"), when("opened"), None,
            _list(said.get("touches", "")), said.get("reverts", ""), "hotfix" in said, said.get("remedies", ""),
        )  # fmt: skip
    if kind == "artifact":
        return Artifact(id_, said.get("change", ""), "repo", said.get("rev", ""))
    if kind == "incident":
        return DeliveryIncident(
            id_, said.get("of", "shop"), "production", at(time), when("until"), said.get("names", ""),
            is_counted="drill" not in said,
        )  # fmt: skip
    if kind == "correction":
        return Correction(id_, said.get("to", ""), "ann", at(time), is_withdrawn="withdrawn" in said)
    return Deployment(
        id_, said.get("of", "shop"), said.get("in", "production"), at(time), _KINDS[kind],
        DeploymentOutcome.FAILED if "failed" in said else DeploymentOutcome.SUCCEEDED,
        when("started"), said.get("v", ""), _list(said.get("art", "")), "repo" if "rev" in said else "",
        said.get("rev", ""), _list(said.get("names", "")), said.get("undoes", ""), said.get("remedies", ""),
        "unplanned" in said, said.get("run", ""),
    )  # fmt: skip


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def judged(
    text: str, *, policy: DeliveryPolicy = POLICY, service: str = "shop", first: str = "1/00:00", last: str = "60/00:00"
) -> Reckoning:
    log = MemoryLog(*read(text))
    start, end = at(first), at(last)
    gathered = gather_span(log, service, "production", start, end, policy)  # type: ignore[arg-type]
    return reckon(gathered.stretch, start, end, policy)


def told(reckoning: Reckoning) -> str:
    """A line for each deployment and each incident."""
    lines = [*map(_of_deployment, reckoning.deployments), *map(_of_incident, reckoning.incidents)]
    return "\n".join(line.rstrip() for line in lines)


def _of_deployment(one: JudgedDeployment) -> str:
    return f"{one.id}: {'; '.join(_words(one)) or 'fine'}"


def _words(one: JudgedDeployment) -> Iterator[str]:
    if one.failure:
        held = f" {','.join(one.incidents)}" if one.incidents else ""
        yield f"failed ({one.failure.value}{held})"
        yield "open" if one.recovered_at is None else f"recovered in {span(one.recovery_time)}"
    if one.rework:
        yield f"rework ({one.rework.value})"
    for change in one.changes:
        yield f"{change.change} in {span(change.lead_time)}"


def _of_incident(one: JudgedIncident) -> str:
    attribution = one.attribution
    return f"{attribution.incident}: {attribution.deployment or 'nobody'} ({attribution.reason.value})"


def span(length: timedelta | None) -> str:
    if length is None:
        return "?"
    minutes = int(length.total_seconds()) // 60
    return f"{minutes // 60}:{minutes % 60:02}"
