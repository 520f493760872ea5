"""Checks of every state, in a real database: what the pages about checks are looked at with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.applications import Starlette

from controlplane.model.check import (
    CheckKind,
    CheckResult,
    CheckSample,
    Outcome,
    RegionState,
    RegionVerdict,
    ReportHead,
    Timing,
    Verdict,
    VerdictKind,
)
from controlplane.ports import Store
from flyball.web.check_state import CheckUser
from flyball.web.console import console_routes, exception_handlers
from synthetics.grid import DeclaredCheck, DeclaredRegion
from tests.flyball.web.world import NASTY, NOW, State

PROBE, JOURNEY = CheckKind.PROBE, CheckKind.JOURNEY
MINUTE = timedelta(minutes=1)
REGIONS: Final = (
    DeclaredRegion("eu", "Europe"),
    DeclaredRegion("us", "United States"),
    DeclaredRegion("ap", "Asia Pacific"),
)
UP, DOWN, FAULT, SILENT = RegionState.UP, RegionState.DOWN, RegionState.FAULT, RegionState.SILENT


def check(name: str, kind: CheckKind = PROBE, title: str = "", **more: object) -> DeclaredCheck:
    every = timedelta(seconds=30) if kind is PROBE else 5 * MINUTE
    return DeclaredCheck(name, kind, title or name, every, source="synthetics/probes.yaml:3", **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Story:
    """A check, what the regions say of it, and why where they say no good."""

    check: DeclaredCheck
    verdict: VerdictKind | None
    states: Sequence[RegionState]
    detail: str = ""
    flapping: bool = False


def stories() -> list[Story]:
    url = "https://app.intelgraph.example"
    pending = RegionState.PENDING
    return [
        Story(check("gateway-health", title="Gateway health", target=f"{url}/healthz"), VerdictKind.UP, [UP, UP, UP]),
        Story(check("gateway-tls", title="Gateway certificate", target="app.intelgraph.example:443"),
              VerdictKind.GLOBAL, [DOWN, DOWN, DOWN], "the certificate ends in 2 days, at least 14 were asked for"),
        Story(check("sign-in-page", title="Sign-in page", target=f"{url}/sign-in"),
              VerdictKind.REGIONAL, [UP, DOWN, UP], "connection reset by peer"),
        Story(check("api-graphql", target=f"{url}/api/graphql"), VerdictKind.UNKNOWN, [FAULT, SILENT, SILENT]),
        Story(check("flappy"), VerdictKind.UP, [RegionState.FLAPPING, RegionState.FLAPPING, UP], flapping=True),
        Story(check("new-one"), None, [pending, pending, pending]),
        Story(check(f"nasty {NASTY}", title=f"Nasty {NASTY}", target=f"https://{NASTY}"),
              VerdictKind.REGIONAL, [UP, UP, DOWN], NASTY),
        Story(check("core-flow", JOURNEY, "Core flow", regions=frozenset({"eu"})), VerdictKind.UP, [UP]),
        Story(check("hello-world", JOURNEY, "Workflow hello-world"), VerdictKind.UP, [UP, UP, SILENT]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Checks:
    """A `ChecksState` of given parts."""

    given: Sequence[DeclaredCheck] = ()
    given_regions: Sequence[DeclaredRegion] = ()

    def checks(self) -> Sequence[DeclaredCheck]:
        return self.given

    def regions(self) -> Sequence[DeclaredRegion]:
        return self.given_regions

    def users(self, kind: CheckKind, check: str) -> Sequence[CheckUser]:
        if (kind, check) != (PROBE, "sign-in-page"):
            return ()
        return (
            CheckUser("golden path", "sign in", "/golden-paths/sign-in"),
            CheckUser("component", f"Sign-in {NASTY}"),
        )


def everything() -> Checks:
    return Checks([story.check for story in stories()], REGIONS)


def verdicts() -> list[Verdict]:
    found = []
    for story in stories():
        if story.verdict is None:
            continue
        since = NOW - timedelta(minutes=17)
        told = tuple(
            RegionVerdict(region.name, state, since, story.detail if state is DOWN else "")
            for region, state in zip(REGIONS, story.states, strict=False)
        )
        it = story.check
        found.append(Verdict(it.name, it.kind, story.verdict, since, min(2, len(told)), told, story.flapping))
    return found


def results(story: Story, region: str, state: RegionState) -> Iterator[CheckResult]:
    """Three hours of runs; the last 17 minutes are as the state says, before that all was well."""
    it = story.check
    names = ("resolve", "connect", "tls", "processing", "transfer")
    if it.kind is JOURNEY:
        names = ("sign in", "query", "write", "two hops")
    start = NOW - timedelta(hours=3) + timedelta(seconds=REGIONS.index(next(r for r in REGIONS if r.name == region)))
    for number in range(int(timedelta(hours=3) / it.every)):
        at = start + number * it.every
        late = NOW - at < timedelta(minutes=17)
        wrong = late and (state is DOWN or (state is RegionState.FLAPPING and number % 3 == 0))
        outcome = Outcome.FAULT if late and state is FAULT else Outcome.FAILED if wrong else Outcome.OK
        if state is RegionState.PENDING or (late and state is SILENT):
            continue
        ok = outcome is Outcome.OK
        scale = (1 + number % 5 / 4) * (0.04 if it.kind is PROBE else 0.5)
        timings = tuple(
            Timing(name, scale * share) for name, share in zip(names, (0.1, 0.2, 0.3, 0.9, 0.1), strict=False)
        )
        yield CheckResult(
            it.name, it.kind, region, at, sum(t.seconds for t in timings), outcome,
            reason="" if ok else "connect", detail="" if ok else story.detail or "no permission to send echoes",
            timings=timings if ok else timings[:2], trace_id=f"{number:032x}",
            samples=(CheckSample("probe_ssl_earliest_cert_expiry", (NOW + timedelta(days=2)).timestamp()),)
            if it.name == "gateway-tls" else (),
        )  # fmt: skip


def self_check(region: str, at: datetime, outcome: Outcome) -> CheckResult:
    why = "" if outcome is Outcome.OK else "no route to host"
    return CheckResult(region, CheckKind.SELF_CHECK, region, at, 0.021, outcome, reason=why, detail=why)


def fill(store: Store) -> None:
    """`eu` reports but does not reach its own target, `us` reports, `ap` has been silent for 20 minutes."""
    reported = {"eu": NOW - timedelta(seconds=12), "us": NOW - timedelta(seconds=4), "ap": NOW - 20 * MINUTE}
    with store.transaction() as transaction:
        for region, at in reported.items():
            number = [it.name for it in REGIONS].index(region)
            held = [
                result
                for story in stories()
                if number < len(story.states)
                for result in results(story, region, story.states[number])
            ]
            held.append(self_check(region, at - MINUTE, Outcome.FAILED if region == "eu" else Outcome.OK))
            buffered = 1234 if region == "ap" else 0
            transaction.checks.take(ReportHead(region, f"prober-{region}", 1, at, buffered, "0.9"), held, at)
        transaction.checks.put_verdicts(verdicts(), NOW)


def application(state: State, checks: Checks) -> Starlette:
    """The console with the pages about checks."""
    return Starlette(routes=console_routes(state, checks=checks), exception_handlers=dict(exception_handlers()))
