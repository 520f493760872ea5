"""What a region runs: probes and journeys of the last good files, joined to sockets, browsers and the environment."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from controlplane.model.check import CheckKind, CheckResult
from flyball.settings import variables_of
from flyball.synthetics.declared import ChecksDeclared
from synthetics.checks import Check
from synthetics.journeys.adapters.artifacts import Artifacts
from synthetics.journeys.adapters.browser import INHERITED, BrowserProcess
from synthetics.journeys.adapters.http import HTTPSessions
from synthetics.journeys.environment import Environment, variables_named
from synthetics.journeys.model import Journey
from synthetics.journeys.running import Runner
from synthetics.journeys.running import check_of as journey_check
from synthetics.probes.endpoint import Book
from synthetics.probes.model import Probe
from synthetics.probes.running import Place
from synthetics.probes.running import check_of as probe_check
from synthetics.probes.running import variables_named as named_by
from synthetics.regions.model import LOCAL, Region

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class RegionChecks:
    """Makes checks for one region. `artifacts` gets screenshots and traces of failed journeys."""

    region: str
    workspace: Path
    artifacts: Path
    random_bytes: RandomBytes

    def checks(self, declared: ChecksDeclared) -> list[Check]:
        """Everything that this region is to run."""
        return [*self._probes(declared), *self._journeys(declared)]

    def self_check(self, declared: ChecksDeclared) -> Check | None:
        """What tells whether the region itself is well; None where its document names nothing."""
        probe = region_of(declared, self.region).self_check
        if probe is None:
            return None
        check = probe_check(probe, self.place(declared, named_by(probe)))

        async def run(now: datetime) -> CheckResult:
            return replace(await check.run(now), kind=CheckKind.SELF_CHECK, check=self.region)

        return replace(check, name=self.region, kind=CheckKind.SELF_CHECK, regions=frozenset(), run=run)

    def place(self, declared: ChecksDeclared, variables: frozenset[str]) -> Place:
        """Where probes run, with the variables that they name."""
        pins: Mapping[str, str] = dict(region_of(declared, self.region).resolve)
        return Place(self.region, self.random_bytes, variables_of(variables), pins)

    def _probes(self, declared: ChecksDeclared) -> Iterator[Check]:
        place = self.place(declared, book_of(declared).variables_named())
        for probe in declared.probes:
            if _runs_here(frozenset(probe.regions), self.region):
                yield probe_check(probe, place)

    def _journeys(self, declared: ChecksDeclared) -> Iterator[Check]:
        here = [each for each in declared.journeys if _runs_here(each.regions, self.region)]
        if here:
            runner = self.runner(declared, here)
            yield from (journey_check(journey, runner) for journey in here)

    def runner(self, declared: ChecksDeclared, journeys: Sequence[Journey]) -> Runner:
        """What walks these journeys from here, with the variables that they name."""
        variables = variables_of({*INHERITED, *(name for journey in journeys for name in variables_named(journey))})
        return Runner(
            workspace=self.workspace,
            open_session=HTTPSessions(),
            run_browser=BrowserProcess(variables, Artifacts(self.artifacts)),
            environment=Environment(variables),
            random_bytes=self.random_bytes,
            region=self.region,
            resolve=dict(region_of(declared, self.region).resolve),
        )


def region_of(declared: ChecksDeclared, name: str) -> Region:
    """The region of that name; one without a document is plain."""
    return next((region for region in declared.regions if region.name == name), replace(LOCAL, name=name))


def book_of(declared: ChecksDeclared) -> Book:
    """What `/probe` may be asked for."""
    probes: Mapping[str, Probe] = {probe.name: probe for probe in declared.probes}
    return Book({module.name: module for module in declared.modules}, probes)


def _runs_here(regions: frozenset[str], region: str) -> bool:
    return not regions or region in regions
