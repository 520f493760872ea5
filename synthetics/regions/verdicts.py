"""What all regions together say about each check. Pure.

A region can tell when it is up or down. One that is silent, at fault, flapping or not heard yet cannot, and never
counts as down. It takes `needed` regions to make an outage global: as many as the check says, or else most of those
that can tell, and two at least where the check has more than one region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from controlplane.model.check import (
    CheckKind,
    Outcome,
    RegionContact,
    RegionState,
    RegionVerdict,
    Verdict,
    VerdictKind,
)
from synthetics.regions.model import Region, Watch, Watched
from synthetics.regions.runs import SETTLED, Run, settled

MISSED: Final = 3  # intervals without a result, after which a check is silent in a region
GRACE: Final = timedelta(seconds=30)  # runs end, and reports come, some time after the start that counts
RunKey = tuple[str, str, str]  # kind, check, region
VerdictKey = tuple[str, str]  # kind, check
_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_SELF_CHECK: Final = CheckKind.SELF_CHECK.value
_AT_LEAST: Final = 2


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known: the last runs of each check and region, oldest first, and the latest contact of each region.

    `watching_since`: when we began to listen; nobody is silent for not having been heard before.
    """

    runs: Mapping[RunKey, Sequence[Run]]
    contacts: Mapping[str, RegionContact]
    watching_since: datetime = _NEVER


def judge(
    watch: Watch, evidence: Evidence, previous: Mapping[VerdictKey, Verdict], now: datetime
) -> list[Verdict]:  # fmt: skip
    """The verdict of every check, and one of each region by its self-check, sorted by kind and name.

    The verdict of a region is UP or UNKNOWN, and its one region's state says more: a region is never down.
    """
    judging = _Judging(evidence, now)
    own = {region.name: judging.region(region, previous.get((_SELF_CHECK, region.name))) for region in watch.regions}
    found = [
        Verdict(
            check=name,
            check_kind=CheckKind.SELF_CHECK,
            kind=VerdictKind.UP if state.state is RegionState.UP else VerdictKind.UNKNOWN,
            since=state.since,
            needed=1,
            regions=(state,),
        )
        for name, state in own.items()
    ]
    found += [judging.check(check, own, previous.get(check.key)) for check in watch.checks]
    return sorted(found, key=lambda verdict: verdict.key)


class _Judging:
    def __init__(self, evidence: Evidence, now: datetime) -> None:
        self._evidence = evidence
        self._now = now

    def region(self, region: Region, previous: Verdict | None) -> RegionVerdict:
        """Whether it is heard, and reaches its known-good target."""
        before = previous.regions[0] if previous and previous.regions else None
        contact = self._evidence.contacts.get(region.name)
        runs = self._evidence.runs.get((_SELF_CHECK, region.name, region.name), ())
        latest = runs[-1] if runs else None
        if contact is None:
            return self._told(region.name, RegionState.PENDING, "nothing was heard yet", before, None)
        if self._is_over(contact.reported_at, region.silent_after):
            detail = f"no report since {_shown(contact.reported_at)}"
            return self._told(region.name, RegionState.SILENT, detail, before, latest)
        every = region.self_check.interval if region.self_check else None
        is_told = every and latest and not self._is_over(latest.started_at, MISSED * every + GRACE)
        if latest is not None and is_told and latest.outcome is not Outcome.OK:
            detail = f"does not reach its known-good target: {latest.detail}"
            return self._told(region.name, RegionState.FAULT, detail, before, latest)
        return self._told(region.name, RegionState.UP, "", before, latest)

    def check(self, check: Watched, own: Mapping[str, RegionVerdict], previous: Verdict | None) -> Verdict:
        """What its regions say together."""
        before = {each.region: each for each in previous.regions} if previous else {}
        names = sorted(check.regions & own.keys() if check.regions else own)
        regions = tuple(self._in_region(check, own[name], before.get(name)) for name in names)
        kind, needed, flapping = _together(check, regions, previous.kind if previous else VerdictKind.UNKNOWN)
        since = previous.since if previous and previous.kind is kind else self._now
        return Verdict(check.name, check.kind, kind, since, needed, regions, flapping)

    def _in_region(self, check: Watched, region: RegionVerdict, before: RegionVerdict | None) -> RegionVerdict:
        runs = self._evidence.runs.get((check.kind.value, check.name, region.region), ())
        latest = runs[-1] if runs else None
        state, detail = self._state(check, region, runs, before)
        return self._told(region.region, state, detail, before, latest)

    def _state(
        self, check: Watched, region: RegionVerdict, runs: Sequence[Run], before: RegionVerdict | None
    ) -> tuple[RegionState, str]:
        if region.state in (RegionState.SILENT, RegionState.PENDING):
            return region.state, region.detail
        if not runs:
            return RegionState.PENDING, "it has not run yet"
        latest = runs[-1]
        if self._is_over(latest.started_at, MISSED * check.every + GRACE):
            return RegionState.SILENT, f"no run since {_shown(latest.started_at)}"
        if latest.outcome is Outcome.FAULT:
            return RegionState.FAULT, latest.detail
        if latest.outcome is Outcome.FAILED and region.state is RegionState.FAULT:
            return RegionState.FAULT, region.detail
        state = settled(runs, before.state if before else None, before.latest_at if before else None)
        if state is RegionState.FLAPPING:
            return state, "it changes so often that neither is believed"
        return state, latest.detail if state is RegionState.DOWN else ""

    def _is_over(self, heard_at: datetime, patience: timedelta) -> bool:
        return self._now - max(heard_at, self._evidence.watching_since) > patience

    def _told(
        self, region: str, state: RegionState, detail: str, before: RegionVerdict | None, latest: Run | None
    ) -> RegionVerdict:
        since = before.since if before and before.state is state else self._now
        latest_at, trace_id = (latest.started_at, latest.trace_id) if latest else (None, "")
        if before and before.latest_at and (latest_at is None or latest_at < before.latest_at):
            latest_at, trace_id = before.latest_at, before.trace_id  # forgotten since; what was judged stays judged
        return RegionVerdict(region, state, since, detail, latest_at, trace_id)


def needed_regions(check: Watched, regions: int, telling: int) -> int:
    """How many of a check's regions must say down to make it global, when so many of them can tell."""
    if check.down_regions is not None:
        return max(1, min(check.down_regions, regions))
    return max(min(_AT_LEAST, max(regions, 1)), telling // 2 + 1)


def _together(
    check: Watched, regions: Sequence[RegionVerdict], before: VerdictKind
) -> tuple[VerdictKind, int, bool]:  # fmt: skip
    count = {state: sum(each.state is state for each in regions) for state in SETTLED}
    down, flapping = count[RegionState.DOWN], count[RegionState.FLAPPING]
    telling = down + count[RegionState.UP]
    needed = needed_regions(check, len(regions), telling)
    if down >= needed:
        return VerdictKind.GLOBAL, needed, False
    if flapping and (down + flapping >= needed or not telling):  # what they would say decides
        return before, needed, True
    if not telling:
        return VerdictKind.UNKNOWN, needed, False
    return VerdictKind.REGIONAL if down else VerdictKind.UP, needed, False


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
