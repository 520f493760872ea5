"""What a translator of webhooks makes of an answer of an API, told as collected: the same things by the same keys.

A request or a deployment has the same shape in both, so that what a webhook and a collector tell falls together.
"""

from collections.abc import Mapping
from typing import Final

from controlplane.delivery_names import CUSTOM
from controlplane.model.event import JSON

_COLLECTED: Final = "collected/"


def collected_id(id_: str, edition: int) -> str:
    """The id of a collected event: another than that of the webhook, which says less or more."""
    return edited_id(f"{_COLLECTED}{id_}", edition)


def edited_id(id_: str, edition: int) -> str:
    """Ids of a later edition come after those of earlier ones."""
    return f"{id_}/{edition:06}" if edition else id_


def retold(
    event: Mapping[str, JSON], *, id_: str, own: Mapping[str, JSON], service: str = "", environment: str = ""
) -> dict[str, JSON]:
    """The event under another id, with more of our own fields; for another service or environment if one is said."""
    data = _object(event["data"])
    subject, custom = _object(data["subject"]), _object(data.get("customData"))
    content = _object(subject["content"])
    if environment:
        content["environment"] = {"id": environment}
    said = {**_object(custom.get(CUSTOM)), **{key: value for key, value in own.items() if value not in (None, "", [])}}
    named = service or str(subject["id"])
    told: dict[str, JSON] = {
        **data,
        "context": {**_object(data["context"]), "id": id_},
        "subject": {**subject, "id": named, "content": content},
        "customData": {**custom, CUSTOM: said},
        "customDataContentType": "application/json",
    }
    return {**event, "id": id_, "subject": named, "data": told}


def _object(value: JSON) -> dict[str, JSON]:
    return dict(value) if isinstance(value, dict) else {}
