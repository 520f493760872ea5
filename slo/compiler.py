"""SLOs to rule files: a list of passes with one signature, run on each SLO or on each shard of SLOs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from zlib import crc32

from controlplane.burn_rate import STANDARD_PERIOD, duration
from controlplane.calendar.rules import calendar_file
from controlplane.model.alerting import STANDARD_ALERTING, Alerting, AlertText
from controlplane.model.rule import Rule, RuleFile, RuleGroup
from controlplane.model.slo import SLO, STANDARD_POLICY, RollingWindow
from slo.bridging import bridged
from slo.passes import Pass, Subject, alerts, budget, calendar, events, exclusions, legacy, windows
from slo.passes.subject import Links

# Evaluated every minute, in this order: a pass may read what an earlier one wrote.
EVERY_MINUTE: Final[tuple[Pass, ...]] = (
    exclusions.active,
    events.rolling,
    budget.budget_ratio,
    budget.info,
    windows.burn_rates,
    budget.budget_events,
    windows.recent_bad_events,
    legacy.records,
    alerts.page,
    alerts.prompt_ticket,
    alerts.prompt_no_data,
)
EVERY_FIVE_MINUTES: Final[tuple[Pass, ...]] = (
    budget.objective,
    budget.alert_context,
    calendar.bounds,
    events.ledger,
    exclusions.excluded_ledger,
    calendar.period_ledger,
    events.usual,
    exclusions.raw_totals,
    events.totals,
    events.coverage,
    calendar.expected,
    budget.period_burn_rate,
    budget.budget_remaining,
    exclusions.raw_budget,
    windows.ledger_sums,
    windows.long_bad_events,
    windows.coverages,
    alerts.ticket,
    alerts.no_data,
)
_MINUTE: Final = timedelta(minutes=1)
_FIVE_MINUTES: Final = timedelta(minutes=5)
SHARD_SIZE: Final = 500
_FEWEST_ALIKE: Final = 20  # SLOs whose alerts say the same: with fewer, shared rules are no less work


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """`external_url` is the console's address, `runbook_url_template` may name {service} and {slo}.

    With more than `shared_above` SLOs, rules are written once per shard of about `shard_size` SLOs.
    """

    external_url: str = ""
    runbook_url_template: str = ""
    shared_above: int = 1000
    shard_size: int = SHARD_SIZE

    @property
    def links(self) -> Links:
        """The addresses that alerts show."""
        return Links(self.external_url, self.runbook_url_template)


def compile_rules(slos: Iterable[SLO], options: CompileOptions | None = None) -> tuple[RuleFile, ...]:
    """The rule files of a workspace; the same SLOs give the same files, in whatever order they come."""
    listed = tuple(slos)
    return (*(rule_file(subject) for subject in subjects(listed, options or CompileOptions())), *shared_files(listed))


def shared_files(slos: Iterable[SLO]) -> tuple[RuleFile, ...]:
    """The files that the rules of several SLOs read from, beside the SLOs' own files."""
    calendars = calendar_file(slo.window for slo in slos)
    return (calendars,) if calendars else ()


def subjects(slos: Iterable[SLO], options: CompileOptions) -> tuple[Subject, ...]:
    """What gets a file of its own: each SLO, or each shard of them."""
    ordered = sorted(slos, key=lambda slo: slo.name)
    if len(ordered) <= options.shared_above:
        return tuple(Subject((slo,), options.links) for slo in ordered)
    usual: list[SLO] = []
    alone: list[SLO] = []
    alike: dict[tuple[timedelta, Alerting], list[SLO]] = defaultdict(list)
    for slo in ordered:
        if is_usual(slo):
            usual.append(slo)
        elif _differs_in_words_only(slo):
            alike[slo.window.length, slo.alerting].append(slo)
        else:
            alone.append(slo)
    shared = [*shards(usual, options.shard_size)]
    for (_, alerting), members in alike.items():
        if len(members) < _FEWEST_ALIKE:
            alone += members
            continue
        words = f"{crc32(repr(alerting).encode()):08x}"
        shared += [(f"{shard}-{words}", part) for shard, part in shards(members, options.shard_size)]
    return (
        *(Subject(members, options.links, shard) for shard, members in shared),
        *(Subject((slo,), options.links) for slo in sorted(alone, key=lambda slo: slo.name)),
    )


def _differs_in_words_only(slo: SLO) -> bool:
    """Whether it is usual but for the names, labels and annotations of its alerts."""
    silent = replace(slo.alerting, page=AlertText(), ticket=AlertText(), absence=AlertText())
    return silent == STANDARD_ALERTING and is_usual(replace(slo, alerting=STANDARD_ALERTING))


def is_usual(slo: SLO) -> bool:
    """Whether it can share its rules: a rolling window, and nothing changed about groups, data, alerts or names."""
    return (
        isinstance(slo.window, RollingWindow)
        and not slo.groups
        and not slo.exclusions
        and (slo.legacy_names is None or not slo.legacy_names.recorded)
        and not slo.renamed_from
        and slo.policy == STANDARD_POLICY
        and slo.alerting == STANDARD_ALERTING
    )


def shards(slos: Sequence[SLO], size: int = SHARD_SIZE) -> Iterator[tuple[str, tuple[SLO, ...]]]:
    """Names of shards and their SLOs: one window each, of about `size`, fewer where the window is longer.

    An SLO keeps its shard while the number of shards stays the same.
    """
    by_period: dict[timedelta, list[SLO]] = defaultdict(list)
    for slo in slos:
        by_period[slo.window.length].append(slo)
    for period, members in sorted(by_period.items()):
        count = -(-len(members) // shard_size(period, size))
        split: dict[int, list[SLO]] = defaultdict(list)
        for slo in members:
            split[crc32(slo.name.encode()) % count].append(slo)
        for index, part in sorted(split.items()):
            yield f"{duration(period)}-{index:03d}", tuple(part)


def shard_size(period: timedelta, size: int = SHARD_SIZE) -> int:
    """About how many SLOs of a window share rules, of which one query may load 50 million samples (Prometheus's
    default): long windows bear fewer.
    """
    return max(1, min(size, size * STANDARD_PERIOD // period))


def rule_file(subject: Subject) -> RuleFile:
    """The file of one SLO or one shard."""
    name = f"shard:{subject.shard}" if subject.shared else subject.only.name
    groups = (
        RuleGroup(f"slo:{name}:1m", _MINUTE, tuple(_rules(subject, EVERY_MINUTE))),
        RuleGroup(f"slo:{name}:5m", _FIVE_MINUTES, tuple(_rules(subject, EVERY_FIVE_MINUTES))),
    )
    if not subject.shared:
        groups = (bridged(groups[0], subject.only), bridged(groups[1], subject.only))
    return RuleFile(file_name(subject), groups)


def _rules(subject: Subject, passes: Iterable[Pass]) -> Iterator[Rule]:
    return exclusions.quiet(subject, [rule for each in passes for rule in each(subject)])


def file_name(subject: Subject) -> str:
    """The name of its file."""
    return f"slo-shard-{subject.shard}.yaml" if subject.shared else f"slo-{subject.only.name}.yaml"
