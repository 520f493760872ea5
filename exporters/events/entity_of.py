"""Which thing a CDEvent tells of: its entity, by which all events about it are found again."""

from collections.abc import Mapping
from typing import Any, Final

from controlplane.delivery_names import CUSTOM
from exporters.events import entities
from exporters.events.cdevents.schemas import PREFIX

DEPLOYING: Final = ("deployed", "upgraded", "rolledback", "removed")
CHANGING: Final = ("created", "reviewed", "merged")
BUILDING: Final = ("packaged", "published")
FAILING: Final = ("detected", "reported", "resolved")


def subject_of(type_: str) -> str:
    """`service` of `dev.cdevents.service.deployed.0.3.0`."""
    return type_.removeprefix(PREFIX).partition(".")[0]


def entity_of(type_: str, data: Mapping[str, Any]) -> str:
    """The entity of a valid CDEvent; empty for those that we make nothing of (builds, pipelines, tickets, …).

    - A deployment is `customData.flyball.deployment` of its source, where several events share it; else the event.
    - A change is its id within `content.repository.id`, or within its source where it names no repository.
    - An incident is its id within `subject.source`, which is the event's source unless it says otherwise.
    - An artifact is its id.
    """
    subject, predicate = type_.removeprefix(PREFIX).split(".")[:2]
    context, about = data["context"], data["subject"]
    source, id_ = context["source"], about["id"]
    if subject == "service" and predicate in DEPLOYING:
        return entities.deployment(source, own_of(data).get("deployment") or context["id"])
    if subject == "change" and predicate in CHANGING:
        repository = about["content"].get("repository", {}).get("id") or source
        return entities.change(entities.repository_name(repository), id_)
    if subject == "incident" and predicate in FAILING:
        return entities.incident(about.get("source") or source, id_)
    return entities.artifact(id_) if subject == "artifact" and predicate in BUILDING else ""


def own_of(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our own fields of a CDEvent; empty when it has none."""
    custom = data.get("customData")
    own = custom.get(CUSTOM) if isinstance(custom, dict) else None
    return own if isinstance(own, dict) else {}
