"""What is to be judged: every check of the last good files, and the regions that run them."""

from controlplane.model.check import CheckKind
from flyball.synthetics.declared import ChecksDeclared
from synthetics.regions.model import LOCAL, Watch, Watched


def watch_of(declared: ChecksDeclared) -> Watch:
    """Probes and journeys with their regions; without a Region document there is the local one."""
    probes = (
        Watched(each.name, CheckKind.PROBE, each.interval, frozenset(each.regions), each.down_regions)
        for each in declared.probes
    )
    journeys = (
        Watched(each.name, CheckKind.JOURNEY, each.every, each.regions, each.down_regions) for each in declared.journeys
    )
    return Watch((*probes, *journeys), declared.regions or (LOCAL,))
