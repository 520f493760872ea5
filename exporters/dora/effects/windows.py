"""Which times are compared, between the deployments before and after."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from controlplane.model.delivery import Deployment
from controlplane.wording import duration
from exporters.dora.effects.model import Confounder, ConfounderKind
from exporters.dora.effects.slots import LENGTH, MIDDLE, Window
from exporters.dora.policy.model import EffectTerms

LATE: Final = timedelta(minutes=10)  # until the last slot of a window is written, and Prometheus has it
LONGEST: Final = timedelta(days=1)  # after that what a service does is no longer one deployment's
LEAST: Final = 2 * LENGTH
LOOK_BACK: Final = timedelta(days=7)  # older deployments are measured by hand only


class TooClose(Exception):
    """Another deployment is so near that nobody can tell the two apart; the message says which, and how near."""


@dataclass(frozen=True, slots=True)
class Windows:
    """`before` and `after` are compared; `total` is from the deployment until it was ended, or for a day at most.

    `ended_by` is the next deployment when that is what ends `total`. `cuts`: other deployments that made them shorter.
    """

    before: Window
    after: Window
    total: Window
    ended_by: Deployment | None
    cuts: tuple[Confounder, ...] = ()


def ready_at(at: datetime, terms: EffectTerms) -> datetime:
    """When a deployment can be measured: its window after is over, and its slots are written."""
    return at + terms.settle + terms.window + LATE


def settled_at(ending: Deployment, terms: EffectTerms) -> datetime:
    """When nothing of what was before a deployment is in the service any more, nor in entries of its ledger."""
    return ending.at + max(terms.settle, MIDDLE)


def windows(
    deployment: Deployment, previous: Deployment | None, following: Deployment | None, terms: EffectTerms
) -> Windows:
    """Raises `TooClose`. What came before or after is that of the same service in production, whatever its kind."""
    cuts = []
    before, is_cut = _before(deployment, previous, terms)
    if is_cut and previous:
        cuts.append(_cut(previous, f"{duration(deployment.at - previous.at)} before"))
    after, is_cut = _after(deployment, following, terms)
    if is_cut and following:
        cuts.append(_cut(following, f"{duration(following.at - deployment.at)} after"))
    end = deployment.at + LONGEST
    ended_by = following if following and settled_at(following, terms) <= end else None
    total = Window(deployment.at - MIDDLE, settled_at(ended_by, terms) if ended_by else end)
    return Windows(before, after, total, ended_by, tuple(cuts))


def _before(deployment: Deployment, previous: Deployment | None, terms: EffectTerms) -> tuple[Window, bool]:
    end = deployment.at - MIDDLE
    whole = Window(deployment.at - terms.window, end)
    if previous is None or previous.at + terms.settle <= whole.start:
        return whole, False
    for start in (previous.at + terms.settle, previous.at):
        if end - start >= LEAST:
            return Window(max(start, whole.start), end), True
    raise TooClose(_told(previous, f"{duration(deployment.at - previous.at)} before"))


def _after(deployment: Deployment, following: Deployment | None, terms: EffectTerms) -> tuple[Window, bool]:
    """One that was ended at once is seen from its first moment until its end has settled; a rollback brings nothing."""
    start = deployment.at + terms.settle
    whole = Window(start, start + terms.window)
    if following is None or following.at >= whole.end:
        return whole, False
    if following.at - start >= LEAST:
        return Window(start, following.at), True
    if following.is_rollback or following.at - deployment.at >= LENGTH:
        return Window(deployment.at - MIDDLE, settled_at(following, terms)), True
    raise TooClose(_told(following, f"{duration(following.at - deployment.at)} after"))


def _cut(other: Deployment, when: str) -> Confounder:
    return Confounder(ConfounderKind.DEPLOYMENT, f"{named(other)} {when} it: that window is shorter")


def _told(other: Deployment, when: str) -> str:
    return f"{named(other)} was only {when} it: the two cannot be told apart"


def named(deployment: Deployment) -> str:
    """A deployment in words."""
    what = "the rollback to" if deployment.is_rollback else "the deployment of"
    return f"{what} {deployment.version or deployment.revision[:12] or deployment.service}"
