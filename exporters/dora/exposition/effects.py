"""What deployments of the last days did to error budgets and unit costs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from controlplane import conventions
from controlplane import delivery_names as names
from controlplane.model.delivery import Deployment, StoredEffect
from exporters.dora.exposition.gauges import VERSION, Labels
from exporters.dora.exposition.lines import Family, Line, written_labels

_KINDS: Final = {
    "slo": (names.EFFECT_BUDGET, conventions.SLO),
    "unit_cost": (names.EFFECT_UNIT_COST, conventions.UNIT_COST),
}
_TEXTS: Final = {
    names.EFFECT_BUDGET: "What deployments of the last 7 days cost of the period's error budget, as a share of it.",
    names.EFFECT_UNIT_COST: "By which share deployments of the last 7 days changed a unit cost.",
}


def effect_families(
    effects: Sequence[tuple[Labels, StoredEffect]], deployments: Mapping[str, Deployment]
) -> Iterator[Family]:
    """One gauge of each subject and version that was measured; of several deployments of a version the latest."""
    found: dict[str, dict[str, Line]] = {name: {} for name, _ in _KINDS.values()}
    for own, effect in sorted(effects, key=lambda each: each[1].at):
        kind, _, subject = effect.subject.partition(":")
        if kind not in _KINDS or effect.score is None:
            continue
        name, label = _KINDS[kind]
        deployment = deployments.get(effect.deployment)
        written = written_labels({**own, label: subject, VERSION: deployment.version if deployment else ""})
        found[name][written] = Line(name, written, float(effect.score))
    for name, lines in found.items():
        yield Family(name, "gauge", _TEXTS[name], tuple(lines.values()))
