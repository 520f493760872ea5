"""Alerts about alerting itself as a rule file: the Watchdog, and what keeps people from being told."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from alerts.watchdog import texts
from controlplane import conventions as names
from controlplane import incident_names as ours
from controlplane.burn_rate import duration, number, seconds
from controlplane.model.rule import AlertingRule, Labels, RuleFile, RuleGroup

FILE: Final = "alerts-watchdog.yaml"
EVERY: Final = timedelta(seconds=30)
SILENT_AFTER: Final = timedelta(minutes=5)
"""Alertmanager tells of the Watchdog every minute; Flyball pages by itself after this."""
_LATE: Final = timedelta(minutes=5)
_TOLD_FOR: Final = timedelta(minutes=15)  # of messages that were given up
_PATIENCE: Final = timedelta(minutes=2)
_PAGES: Final = 'channel=~"(pagerduty|email):.*"'  # by which people are woken up


def rule_files(*, runbook_url: str = "", labels: Sequence[tuple[str, str]] = ()) -> tuple[RuleFile, ...]:
    """One file. `runbook_url` is where its readers are sent; `labels` are added to each alert, such as a team's."""
    own: Labels = (*((names.RUNBOOK_URL, runbook_url) for _ in (1,) if runbook_url),)
    rules = tuple(
        AlertingRule(
            rule.alert, rule.expr, _joined(rule.labels, labels), (*rule.annotations, *own), rule.hold, rule.keep_firing
        )
        for rule in _alerts()
    )
    return (RuleFile(FILE, (RuleGroup("alerts:watchdog", EVERY, rules),)),)


def _joined(labels: Labels, added: Sequence[tuple[str, str]]) -> Labels:
    taken = {name for name, _ in labels} | {ours.CHANNEL, "schedule"}
    return (*labels, *((name, value) for name, value in added if name not in taken))


def _alerts() -> Iterator[AlertingRule]:
    yield AlertingRule(
        ours.ALERT_WATCHDOG, "vector(1)", ((names.SEVERITY, ours.SEVERITY_NONE),), texts.watchdog()
    )  # fmt: skip
    age = f"time() - max({ours.WATCHDOG_SEEN})"
    yield _page(ours.ALERT_WATCHDOG_SILENT, f"{age} > {_of(SILENT_AFTER)}", texts.watchdog_silent(), _PATIENCE)
    yield from _messages()
    yield from _people()
    yield _page(ours.ALERT_SPOOL, f"max({ours.SPOOL_PAGES}) > 0", texts.spool(), _PATIENCE)


def _messages() -> Iterator[AlertingRule]:
    new = f"max({names.OUTBOX_DEAD} - min_over_time({names.OUTBOX_DEAD}[{duration(_TOLD_FOR)}])) > 0"
    yield _page(ours.ALERT_DEAD_LETTERS, new, texts.dead_letters())
    failing = f"min by ({ours.CHANNEL}) ({ours.CHANNEL_FAILING_SINCE})"
    oldest = f"time() - min by ({ours.CHANNEL}) ({ours.OUTBOX_OLDEST}) > {_of(_LATE)}"
    yield _ticket(ours.ALERT_DELIVERY_SLOW, f"{oldest}\nunless on ({ours.CHANNEL})\n{failing}", texts.waiting())
    down = f"time() - {failing} > {_of(_LATE)}"
    waking = f"time() - min by ({ours.CHANNEL}) ({ours.CHANNEL_FAILING_SINCE}{{{_PAGES}}}) > {_of(_LATE)}"
    other = f"{down}\nunless on ({ours.CHANNEL})\n{ours.CHANNEL_FAILING_SINCE}{{{_PAGES}}}"
    yield _page(ours.ALERT_CHANNEL_DOWN, waking, texts.channel_down())
    yield _ticket(ours.ALERT_CHANNEL_DOWN, other, texts.channel_down())


def _people() -> Iterator[AlertingRule]:
    uncovered = f"max by (schedule) ({ours.SCHEDULE_COVERED}) == 0"
    yield _page(ours.ALERT_NOBODY_ON_CALL, uncovered, texts.nobody_on_call(), _PATIENCE)
    tried = f"sum(increase({ours.HEARTBEATS}[{duration(_LATE)}])) > 0"
    sent = f'sum(increase({ours.HEARTBEATS}{{outcome="sent"}}[{duration(_LATE)}])) > 0'
    silent = f"{tried}\nunless on ()\n{sent}"
    yield _ticket(ours.ALERT_HEARTBEAT_FAILING, silent, texts.heartbeat_failing(), _PATIENCE)
    overdue = f'max({ours.ACTIONS_OPEN}{{state="overdue"}}) > 0'
    yield _ticket(ours.ALERT_ACTION_OVERDUE, overdue, texts.actions_overdue(), _PATIENCE)


def _page(alert: str, expr: str, annotations: Labels, hold: timedelta = timedelta(0)) -> AlertingRule:
    return AlertingRule(alert, expr, ((names.SEVERITY, names.SEVERITY_PAGE),), annotations, hold)


def _ticket(alert: str, expr: str, annotations: Labels, hold: timedelta = timedelta(0)) -> AlertingRule:
    return AlertingRule(alert, expr, ((names.SEVERITY, names.SEVERITY_TICKET),), annotations, hold)


def _of(length: timedelta) -> str:
    return str(number(seconds(length)))
