"""Alerts that exist so that others are kept quiet while they fire, as a rule file."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from controlplane import check_names, incident_names
from controlplane import conventions as names
from controlplane.model.check import RegionState
from controlplane.model.rule import AlertingRule, RuleFile, RuleGroup

FILE: Final = "alerts-routing.yaml"
EVERY: Final = timedelta(seconds=30)
_FEWEST_CHECKS: Final = 2  # one that fails may be its own fault
_DOWN_FOR: Final = timedelta(minutes=1)
_LINGERS: Final = timedelta(minutes=5)  # what a step caused is seen in windows of so long after it
_LONGEST_STEP_SECONDS: Final = 3600  # a step that hangs explains nothing any more
_STATE: Final = check_names.CHECK_REGION_STATE
_LOOKED: Final = "|".join(each.value for each in (RegionState.UP, RegionState.DOWN, RegionState.FLAPPING))


def rule_files(
    *, has_ladders: bool, has_checks: bool, external_url: str = "", runbook_url: str = ""
) -> tuple[RuleFile, ...]:
    """One file; none where neither ladders nor checks are declared."""
    rules: list[AlertingRule] = []
    if has_ladders:
        rules.append(_downshift())
    if has_checks:
        rules.append(_region_down(external_url.rstrip("/"), runbook_url))
    return (RuleFile(FILE, (RuleGroup("alerts:routing", EVERY, tuple(rules)),)),) if rules else ()


def _downshift() -> AlertingRule:
    """Nobody is told of it: while it fires, what the ladder's tiers explain is quiet."""
    begun = f"max by ({names.LADDER}) ({names.LADDER_OPEN_STEP})"
    ladder = f"{{{{ $labels.{names.LADDER} }}}}"
    return AlertingRule(
        incident_names.ALERT_DOWNSHIFT,
        f"time() - {begun} < {_LONGEST_STEP_SECONDS}",
        ((names.SEVERITY, names.SEVERITY_INFO),),
        (
            (names.SUMMARY, f"A step of {ladder} is under way"),
            (names.DESCRIPTION, "Service is reduced or restored on purpose; what the tiers explain tells nobody."),
            (names.EXPLAIN, f"flyball ladder explain {ladder}"),
        ),
        keep_firing=_LINGERS,
    )


def _region_down(page: str, runbook_url: str) -> AlertingRule:
    down = f'count by (region) (max by (kind, check, region) ({_STATE}{{state="down"}}) == 1)'
    looked = f'count by (region) (max by (kind, check, region) ({_STATE}{{state=~"{_LOOKED}"}}) == 1)'
    regions = f'count(count by (region) ({_STATE}{{state=~"{_LOOKED}"}} == 1))'
    whole = f"{down} >= {_FEWEST_CHECKS}\n== on (region)\n{looked}"
    elsewhere = f"{regions} > count({whole})"
    region = "{{ $labels.region }}"
    return AlertingRule(
        incident_names.ALERT_REGION_DOWN,
        f"({whole})\nand on ()\n({elsewhere})",
        ((names.SEVERITY, names.SEVERITY_PAGE),),
        (
            (names.SUMMARY, f"Everything fails from {region}: {{{{ $value }}}} checks, and works elsewhere"),
            (
                names.DESCRIPTION,
                f"People in {region} reach nothing. Look at what is that region's own: its ingress, its DNS answers, "
                "its certificate, its network. Tickets about this region are quiet while this fires.",
            ),
            *_links(page, runbook_url),
        ),
        hold=_DOWN_FOR,
    )


def _links(page: str, runbook_url: str) -> Iterator[tuple[str, str]]:
    if page:
        yield names.DASHBOARD_URL, f"{page}/checks"
    if runbook_url:
        yield names.RUNBOOK_URL, runbook_url
