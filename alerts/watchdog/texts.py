"""What alerts about alerting itself say: what happened, what it means, what to do next."""

from typing import Final

from controlplane import conventions as names
from controlplane.model.rule import Labels

CHANNEL: Final = "{{ $labels.channel }}"
SCHEDULE: Final = "{{ $labels.schedule }}"
_AGE: Final = "{{ $value | humanizeDuration }}"


def watchdog() -> Labels:
    """The one that fires always."""
    return _annotations(
        "The Watchdog fires always",
        "That it arrives shows that alerts do: from Prometheus over Alertmanager to Flyball. Nobody is told of it. When"
        " it stops arriving, Flyball pages, and its heartbeat to the outside stops.",
    )


def watchdog_silent() -> Labels:
    """It does not arrive; also what Flyball pages by itself says."""
    return _annotations(
        f"No Watchdog has reached Flyball for {_AGE}",
        "Alerts do not arrive either: Prometheus, Alertmanager, or the way from there to /hooks/alertmanager is broken."
        " Look at Prometheus' page of alerts for Watchdog, then at Alertmanager's for its receiver, then at"
        f" {names.WEBHOOK_REQUESTS} by code.",
    )


def dead_letters() -> Labels:
    """Messages were given up."""
    return _annotations(
        "{{ $value }} message{{ if ne $value 1.0 }}s were{{ else }} was{{ end }} given up: somebody was not told",
        "Every attempt failed, or the provider refused for good. See which, and why: flyball incidents list, then"
        " flyball alerts why INC-…. Critical ones took the next channel where a fallback is declared.",
    )


def waiting() -> Labels:
    """A channel's messages are not taken up."""
    return _annotations(
        f"Messages for {CHANNEL} have been waiting for {_AGE}",
        "The channel does not fail, and yet nothing leaves: its provider's rate limit is reached, or nobody leads and"
        f" delivers. Look at {names.LEADER}, and at {names.JOB_LAST_SUCCESS} of the job that delivers.",
    )


def channel_down() -> Labels:
    """Every attempt fails."""
    return _annotations(
        f"{CHANNEL} has failed for {_AGE}",
        "People who are told only by it hear nothing. Critical pages take the next channel within a minute where a"
        " Receiver declares a fallback. Look at the provider's status page and at the secret that the channel names;"
        " what waits is delivered, in its current state, when it is back.",
    )


def nobody_on_call() -> Labels:
    """A schedule has a gap now."""
    return _annotations(
        f"Nobody is on call in the schedule {SCHEDULE}",
        "What escalates to this schedule reaches nobody. See the gap: flyball alerts oncall"
        f" {SCHEDULE}. Add an override to the Schedule that names somebody until its next turn.",
    )


def heartbeat_failing() -> Labels:
    """The outside hears nothing."""
    return _annotations(
        "Flyball's heartbeat does not reach the outside",
        "Who watches Flyball from outside will take it for dead. It was withheld because a part of the way from an"
        " alert to a person does not work, or could not be sent: the log says which, event alerts.heartbeat_withheld or"
        " alerts.heartbeat_failed.",
    )


def actions_overdue() -> Labels:
    """What was to be done after incidents is late."""
    return _annotations(
        "{{ $value }} action{{ if ne $value 1.0 }}s{{ end }} of postmortems {{ if ne $value 1.0 }}are{{ else }}is"
        "{{ end }} overdue",
        "What was to keep incidents from coming back has not been done. See whose they are: flyball actions list"
        " --overdue. Give each another day or owner, or close it with a reason.",
    )


def spool() -> Labels:
    """Pages leave without the database."""
    return _annotations(
        "{{ $value }} page{{ if ne $value 1.0 }}s{{ end }} went through the local spool: the database is away",
        "Critical pages still leave, and nothing else does: no grouping, no escalation, no chat. Bring the database"
        " back; what left is taken in by itself then.",
    )


def _annotations(summary: str, description: str) -> Labels:
    return ((names.SUMMARY, summary), (names.DESCRIPTION, description))
