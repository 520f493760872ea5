"""What pages about checks and golden paths need, from what the last good files declare."""

from collections.abc import Callable, Iterator, Sequence

from controlplane.model.check import CheckKind
from flyball.synthetics.declared import ChecksDeclared
from flyball.web.check_state import CheckUser
from synthetics.golden_paths.model import GoldenPath, RouteInventory
from synthetics.grid import DeclaredCheck, DeclaredRegion
from synthetics.regions.model import LOCAL


class DeclaredChecks:
    """Implements `ChecksState` and `GoldenPathState`."""

    def __init__(self, declared: Callable[[], ChecksDeclared]) -> None:
        self._declared = declared

    def checks(self) -> Sequence[DeclaredCheck]:
        """Probes and journeys."""
        declared = self._declared()
        probes = (
            DeclaredCheck(
                each.name,
                CheckKind.PROBE,
                each.display_name or each.name,
                each.interval,
                frozenset(each.regions),
                each.target,
                str(each.source),
            )
            for each in declared.probes
        )
        journeys = (
            DeclaredCheck(
                each.name,
                CheckKind.JOURNEY,
                each.display_name or each.name,
                each.every,
                each.regions,
                source=str(each.source),
            )
            for each in declared.journeys
        )
        return (*probes, *journeys)

    def regions(self) -> Sequence[DeclaredRegion]:
        """Where they run; nowhere while nothing is declared."""
        declared = self._declared()
        if not (declared.probes or declared.journeys):
            return ()
        regions = declared.regions or (LOCAL,)
        return tuple(DeclaredRegion(each.name, each.title, each.silent_after) for each in regions)

    def users(self, kind: CheckKind, check: str) -> Sequence[CheckUser]:
        """Golden paths and components that rest on it."""
        return tuple(self._users(kind, check))

    def golden_paths(self) -> Sequence[GoldenPath]:
        """Those of the last good files."""
        return self._declared().golden_paths

    def route_inventories(self) -> Sequence[RouteInventory]:
        """Those of the last good files."""
        return self._declared().inventories

    def _users(self, kind: CheckKind, check: str) -> Iterator[CheckUser]:
        declared = self._declared()
        for path in declared.golden_paths:
            if (kind, check) in path.checks:
                yield CheckUser("golden path", path.title, "/golden-paths")
        for page in declared.pages:
            for component in page.components:
                by = component.sources
                sources = by.probes if kind is CheckKind.PROBE else by.journeys
                if check in sources:
                    yield CheckUser("component", f"{page.title}: {component.name}", f"/status/{page.name}/")
