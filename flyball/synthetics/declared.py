"""Every document about checks from outside, golden paths and status pages, as values."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind
from synthetics.golden_paths import kinds as golden_path_kinds
from synthetics.journeys import kinds as journey_kinds
from synthetics.probes import kinds as probe_kinds
from synthetics.regions import kinds as region_kinds
from synthetics.status_page import kinds as status_page_kinds

if TYPE_CHECKING:  # their readers take time to import: they are for workspaces that have such documents
    from synthetics.golden_paths.model import GoldenPath, RouteInventory
    from synthetics.journeys.model import Journey
    from synthetics.probes.model import Probe, ProbeModule
    from synthetics.regions.model import Region
    from synthetics.status_page.model import StatusPage

KINDS: Final[tuple[Kind, ...]] = (
    *probe_kinds.KINDS,
    *journey_kinds.KINDS,
    *region_kinds.KINDS,
    *golden_path_kinds.KINDS,
    *status_page_kinds.KINDS,
)


@dataclass(frozen=True, slots=True)
class ChecksDeclared:
    """What is declared, each in the order of its names."""

    probes: "tuple[Probe, ...]" = ()
    modules: "tuple[ProbeModule, ...]" = ()
    journeys: "tuple[Journey, ...]" = ()
    regions: "tuple[Region, ...]" = ()
    golden_paths: "tuple[GoldenPath, ...]" = ()
    inventories: "tuple[RouteInventory, ...]" = ()
    pages: "tuple[StatusPage, ...]" = ()

    def in_words(self) -> str:
        """How much is declared: `6 probes, 1 journey`; empty where nothing is."""
        counted = {
            "probe": len(self.probes),
            "journey": len(self.journeys),
            "region": len(self.regions),
            "golden path": len(self.golden_paths),
            "status page": len(self.pages),
        }
        return ", ".join(f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counted.items() if count)


NO_CHECKS: Final = ChecksDeclared()


def is_about_checks(document: Document) -> bool:
    """Whether it is of one of these kinds."""
    return document.kind in KINDS


def checks_of(
    documents: Sequence[Document],
    slos: Collection[str] | None = None,
    may_be_declared: Callable[[str], bool] = lambda _: False,
) -> tuple[ChecksDeclared, tuple[Problem, ...]]:
    """What the documents declare, those of other kinds aside, and what is wrong with it.

    `slos` are the names of all SLOs, None when they are not known. `may_be_declared`: whether a document that was not
    read may have this name.
    """
    own = [document for document in documents if is_about_checks(document)]
    if not own:
        return NO_CHECKS, ()
    from synthetics.golden_paths.declared import declared as golden_paths_of
    from synthetics.golden_paths.declared import inventories as inventories_of
    from synthetics.journeys.declared import declared as journeys_of
    from synthetics.probes.declared import declared as probes_of
    from synthetics.probes.declared_modules import declared_modules
    from synthetics.regions.declared import declared as regions_of
    from synthetics.status_page.declared import declared as status_pages_of

    named = {kind.name: _names(own, kind) for kind in KINDS}
    regions, modules = regions_of(own), declared_modules(own)
    probes = probes_of(own, may_be_declared, named["Region"] or None)
    journeys = journeys_of(own)
    known_probes, known_journeys = named["Probe"], named["Journey"]
    paths = golden_paths_of(
        own, slos=slos, probes=known_probes, journeys=known_journeys, may_be_declared=may_be_declared
    )
    inventories = inventories_of(own)
    pages = status_pages_of(
        own, slos=slos, probes=known_probes, journeys=known_journeys, may_be_declared=may_be_declared
    )
    declared = ChecksDeclared(
        probes=probes.values,
        modules=modules.values,
        journeys=journeys.values,
        regions=regions.values,
        golden_paths=paths.values,
        inventories=inventories.values,
        pages=pages.values,
    )
    found = (probes, journeys, regions, paths, inventories, pages)
    return declared, tuple(problem for each in found for problem in each.problems)


def _names(documents: Sequence[Document], kind: Kind) -> frozenset[str]:
    """Names of a kind, of documents with mistakes as well: a reference to one is not another mistake."""
    return frozenset(str(document.value.metadata.name) for document in documents if document.kind == kind)  # type: ignore[attr-defined]
