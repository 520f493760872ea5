"""Ladders as rule files: alerts about where they stand and what keeps them from moving."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from controlplane.model.rule import RuleFile, RuleGroup
from finops.ladder.alerts import alerts
from finops.ladder.model import Ladder

EVERY: Final = timedelta(seconds=15)
"""Tier changes inhibit what they explain: told before the alerts that they explain would be."""


def rule_files(ladders: Sequence[Ladder]) -> tuple[RuleFile, ...]:
    """A file for each ladder, by name; the same ladders give the same files."""
    return tuple(
        RuleFile(f"finops-ladder-{each.name}.yaml", (RuleGroup(f"ladder:{each.name}", EVERY, tuple(alerts(each))),))
        for each in sorted(ladders, key=lambda each: each.name)
    )
