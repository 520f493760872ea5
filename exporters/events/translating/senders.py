"""All senders that we translate for."""

from collections.abc import Callable

from exporters.events.translating.alertmanager import Alertmanager
from exporters.events.translating.argo_rollouts import ArgoRollouts
from exporters.events.translating.argocd import ArgoCD
from exporters.events.translating.flagger import Flagger
from exporters.events.translating.github import GitHub
from exporters.events.translating.gitlab import GitLab
from exporters.events.translating.pagerduty import PagerDuty
from exporters.events.translators import Translator


def all_translators(own_incident: Callable[[str], str]) -> dict[str, Translator]:
    """By name. `own_incident` leads from a PagerDuty incident's key to the id of our incident, or to empty text."""
    translators: list[Translator] = [
        GitHub(), GitLab(), ArgoCD(), ArgoRollouts(), Flagger(), PagerDuty(own_incident), Alertmanager()
    ]  # fmt: skip
    return {each.name: each for each in translators}
