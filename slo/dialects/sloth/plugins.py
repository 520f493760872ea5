"""Sloth's plugins: which say what we do anyway, which we can honour, and which cannot be run here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from controlplane.problems import Problem, Severity
from controlplane.specfile import Document
from slo.dialects.sloth.spec import Chain, ChainLink
from slo.metadata import prometheus_labels

_ALERT_RULES: Final = "sloth.dev/core/alert_rules/v1"
# What these do is done here for every SLO (validation, rules), or does nothing to the rules.
_ALWAYS: Final = frozenset(
    {
        "sloth.dev/core/validate/v1",
        "sloth.dev/core/sli_rules/v1",
        "sloth.dev/core/metadata_rules/v1",
        _ALERT_RULES,
        "sloth.dev/core/noop/v1",
        "sloth.dev/core/debug/v1",
        "sloth.dev/contrib/validate_victoria_metrics/v1",
        "sloth.dev/contrib/denominator_corrected_rules/v1",  # weighs by traffic, as our sums of events do
        "sloth.dev/contrib/remove_labels/v1",  # our series carry no labels of the user's
    }
)
_INFO_LABELS: Final = "sloth.dev/contrib/info_labels/v1"
_INTERVALS: Final = "sloth.dev/contrib/rule_intervals/v1"
_EXHAUSTED: Final = "sloth.dev/contrib/error_budget_exhausted_alert/v1"
_RULE: Final = "unsupported"
_Path = tuple[str | int, ...]


@dataclass(slots=True)
class Effect:
    """What the plugins of an SLO change."""

    alerts: bool = True
    labels: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def effect_of(document: Document, chains: Sequence[tuple[_Path, Chain]]) -> Effect:
    """What the chains, of the service and then of the SLO, change. Each path is where a chain's mapping stands."""
    effect = Effect()
    links: list[tuple[_Path, ChainLink]] = []
    replaced = False
    for path, chain in chains:
        if chain.override_previous:
            replaced, links = True, []
            if not chain.chain:
                message = "overridePrevious is set, but no plugin is named"
                effect.problems.append(document.problem(*path, message=message, rule="plugin", on_key=True))
        links += [((*path, "chain", index), link) for index, link in enumerate(chain.chain)]
    effect.alerts = not replaced or any(link.id == _ALERT_RULES for _, link in links)
    for path, link in links:
        effect.problems += _taken(document, path, link, effect)
    return effect


def unknown_indicator(document: Document, path: _Path, name: str) -> Problem:
    """The problem of an indicator that only a program of Sloth's can make."""
    return document.problem(
        *path,
        message=f"the plugin `{name[:80]}` is a program of Sloth's, which cannot be run here",
        hint="write events: with the two queries that it makes; `sloth generate` shows them",
        rule=_RULE,
    )


def _taken(document: Document, path: _Path, link: ChainLink, effect: Effect) -> Iterator[Problem]:
    if link.id in _ALWAYS:
        return
    if link.id == _INFO_LABELS:
        yield from _info_labels(document, path, link, effect)
    elif link.id == _INTERVALS:
        hint = "rules are evaluated every minute, those over long windows every five minutes"
        message = "changes nothing here"
        yield document.problem(
            *path, "id", message=message, hint=hint, severity=Severity.WARNING, rule="unused-field"
        )  # fmt: skip
    elif link.id == _EXHAUSTED:
        hint = "remove it and alert on slo:error_budget_remaining:ratio <= 0 in a rule file of your own"
        yield document.problem(*path, "id", message="this alert is not made here", hint=hint, rule=_RULE)
    else:
        message = (
            f"the plugin `{link.id[:80]}` is a program of Sloth's, which cannot be run here"
            if link.id
            else "a plugin needs an id"
        )
        yield document.problem(*path, "id", message=message, hint="remove it from the chain", rule=_RULE)


def _info_labels(document: Document, path: _Path, link: ChainLink, effect: Effect) -> Iterator[Problem]:
    config = link.config if isinstance(link.config, dict) else {}
    written = config.get("labels")
    if not isinstance(written, dict) or not all(isinstance(value, str) for value in written.values()):
        message = "the plugin needs labels: with names and texts"
        yield document.problem(*path, message=message, rule="plugin", on_key=True)
        return
    texts = {key: value for key, value in written.items() if isinstance(value, str)}
    labels, problems = prometheus_labels(document, (*path, "config", "labels"), texts, "plugin")
    yield from problems
    effect.labels |= labels
    if "metricName" in config:
        message, hint = "changes nothing here", "the labels are those of slo:info"
        yield document.problem(
            *path, "config", "metricName",
            message=message, hint=hint, severity=Severity.WARNING, rule="unused-field", on_key=True,
        )  # fmt: skip
