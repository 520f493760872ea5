"""How each number is made, in the words of the program itself."""

from datetime import timedelta
from typing import Final

from controlplane import wording
from exporters.dora.model import Metric
from exporters.dora.policy.model import DeliveryPolicy
from exporters.dora.report.telling import NAMES
from exporters.dora.report.views import Json

SOURCE: Final = "https://dora.dev/guides/dora-metrics/"
_DEFINITIONS: Final = {
    Metric.LEAD_TIME: (
        "From the first commit of a change to its first successful deployment of that service into that environment. "
        "Deploying it again or rolling back to it delivers nothing. Its parts are coding (first commit to opened), "
        "review (opened to merged) and deploy (merged to deployed). A change whose first commit is not known, or is "
        "later than its merge, is counted apart and makes no number. Told is the median."
    ),
    Metric.FREQUENCY: (
        "Finished deployments, rollbacks and hotfixes included, divided by the days of the window since the first one "
        "that is known, a week at least: a mean, so that bursts count as they are. Deployments of several services by "
        "one run count for each service; a release counts them once."
    ),
    Metric.FAIL_RATE: (
        "Failed deployments ÷ deployments. One failed if an incident is held against it, if it was rolled back within "
        "{rollback}, if its roll-out was stopped, or if a hotfix or revert was aimed at it."
    ),
    Metric.RECOVERY_TIME: (
        "Of failed deployments: from the start of the incident held against it (not before the deployment) until it "
        "was resolved; without an incident, from the deployment until the rollback or hotfix that mended it. Told is "
        "the median."
    ),
    Metric.REWORK_RATE: (
        "Rework ÷ deployments. Rework is a rollback, a deployment that names the incident it mends, one that was "
        "unplanned or brings a hotfix, and the revert of a change that a failed deployment had delivered."
    ),
    Metric.RESTORE_TIME: (
        "From start to end of every incident that counts, whatever caused it (MTTR). Told is the mean. It counts with "
        "priority {priorities}."
    ),
}
ATTRIBUTION: Final = (
    "An incident is held against one deployment at most: what a person said (flyball dora attribute), else what the "
    "incident or a rollback names, else the deployment that was rolled back while it went on, else the last deployment "
    "of its service within {attribution} before it."
)
INTERVALS: Final = (
    "Beside each number stand the sample size and a 95 % interval: of what the number would be if the same process "
    "went on. Small samples have wide ones. Where nothing was measured there is no number, and never 0."
)
CLUSTERS: Final = (
    "Clusters are those that the named edition of DORA's report prints. A value may fit several of them, or lie "
    "between two. The overall place is the median of the places of the four metrics of the edition; that rule is ours."
)


def definitions_of(policy: DeliveryPolicy) -> dict[str, str]:
    """By the name of each metric and rule, with the policy's own lengths of time."""
    named = [each or "none" for each in sorted(policy.priorities, key=lambda each: (not each, each))]
    values = {
        "rollback": _length(policy.rollback_window),
        "attribution": _length(policy.attribution_window),
        "priorities": f"{', '.join(named[:-1])} or {named[-1]}" if len(named) > 1 else "".join(named),
    }
    told = {NAMES[metric]: text.format(**values) for metric, text in _DEFINITIONS.items()}
    return told | {
        "Attribution": ATTRIBUTION.format(**values),
        "Samples and intervals": INTERVALS,
        "Clusters": CLUSTERS,
    }


def definitions_data(policy: DeliveryPolicy) -> dict[str, Json]:
    """The same for programs, with the policy that they hold for."""
    return {
        "definitions": definitions_of(policy),
        "source": SOURCE,
        "policy": {
            "name": policy.name,
            "production": list(policy.production),
            "attribution_window_seconds": int(policy.attribution_window.total_seconds()),
            "rollback_window_seconds": int(policy.rollback_window.total_seconds()),
            "priorities": sorted(policy.priorities),
            "time_zone": policy.time_zone,
            "clusters": policy.clusters or None,
            "teams": dict(sorted(policy.teams.items())),
        },
    }


def _length(length: timedelta) -> str:
    return wording.duration(length)
