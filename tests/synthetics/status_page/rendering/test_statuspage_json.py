"""The JSON has the shape that Statuspage publishes (metastatuspage.com/api), so that its clients read ours."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from controlplane.model.public_status import ComponentStatus, Impact, PublicSnapshot
from synthetics.status_page.rendering.statuspage_json import fresh_files, leaf_files
from tests.synthetics.status_page.rendering import samples

STAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}(Z|[+-]\d{2}:\d{2})")
TEXT, BOOLEAN, NUMBER, TIME, TIME_OR_NULL, TEXT_OR_NULL = "text", "boolean", "number", "time", "time?", "text?"
PAGE = {"id": TEXT, "name": TEXT, "url": TEXT, "time_zone": TEXT, "updated_at": TIME}
STATUSES = {"operational", "degraded_performance", "partial_outage", "major_outage", "under_maintenance"}
COMPONENT = {
    "id": TEXT, "name": TEXT, "status": STATUSES, "created_at": TIME, "updated_at": TIME, "position": NUMBER,
    "description": TEXT_OR_NULL, "showcase": BOOLEAN, "start_date": TEXT_OR_NULL, "group_id": TEXT_OR_NULL,
    "page_id": TEXT, "group": BOOLEAN, "only_show_if_degraded": BOOLEAN,
}  # fmt: skip
UPDATE = {
    "id": TEXT, "status": TEXT, "body": TEXT, "incident_id": TEXT, "created_at": TIME, "updated_at": TIME,
    "display_at": TIME, "deliver_notifications": BOOLEAN, "custom_tweet": TEXT_OR_NULL, "tweet_id": TEXT_OR_NULL,
}  # fmt: skip
AFFECTED = {"code": TEXT, "name": TEXT, "old_status": STATUSES, "new_status": STATUSES}
INCIDENT = {
    "id": TEXT, "name": TEXT, "status": {"investigating", "identified", "monitoring", "resolved", "postmortem"},
    "created_at": TIME, "updated_at": TIME, "monitoring_at": TIME_OR_NULL, "resolved_at": TIME_OR_NULL,
    "impact": {"none", "minor", "major", "critical"}, "shortlink": TEXT, "started_at": TIME, "page_id": TEXT,
}  # fmt: skip
MAINTENANCE = {
    **INCIDENT, "status": {"scheduled", "in_progress", "verifying", "completed"},
    "impact": {"none", "minor", "major", "critical", "maintenance"}, "scheduled_for": TIME, "scheduled_until": TIME,
}  # fmt: skip
STATUS = {"indicator": {"none", "minor", "major", "critical"}, "description": TEXT}
OURS = "flyball_"
LISTS = ("components", "incidents", "incidents/unresolved", "scheduled-maintenances",
         "scheduled-maintenances/upcoming", "scheduled-maintenances/active")  # fmt: skip
PATHS = [f"api/v2/{name}.json" for name in (*LISTS, "summary", "status")]


def render(snapshot: PublicSnapshot) -> dict[str, bytes]:
    return dict([*leaf_files(snapshot), *fresh_files(snapshot)])


def fits(value: object, kind: object) -> bool:
    if isinstance(kind, set):
        return value in kind
    if value is None:
        return kind in (TIME_OR_NULL, TEXT_OR_NULL)
    if kind in (TIME, TIME_OR_NULL):
        return isinstance(value, str) and STAMP.fullmatch(value) is not None
    expected = {TEXT: str, TEXT_OR_NULL: str, BOOLEAN: bool, NUMBER: int}[str(kind)]
    return type(value) is expected


def check(found: Mapping[str, object], shape: Mapping[str, object], *nested: str) -> None:
    own = {name for name in found if not name.startswith(OURS)}
    assert own == {*shape, *nested}, own ^ {*shape, *nested}
    assert {name: found[name] for name, kind in shape.items() if not fits(found[name], kind)} == {}


def check_component(found: Mapping[str, object]) -> None:
    check(found, COMPONENT, *(["components"] if found["group"] else []))
    if found["group"]:
        assert found["group_id"] is None
        assert all(isinstance(each, str) for each in found["components"])  # type: ignore[attr-defined]


def check_incident(found: Mapping[str, object], shape: Mapping[str, object]) -> None:
    check(found, shape, "incident_updates", "components")
    times = []
    for each in found["incident_updates"]:  # type: ignore[attr-defined]
        check(each, UPDATE, "affected_components")
        times.append(each["display_at"])
        assert each["incident_id"] == found["id"]
        assert each["affected_components"] is None or each["affected_components"]
        for affected in each["affected_components"] or []:
            check(affected, AFFECTED)
    assert times == sorted(times, reverse=True)
    for each in found["components"]:  # type: ignore[attr-defined]
        check_component(each)


def check_file(path: str, content: bytes) -> None:
    found = json.loads(content)
    name = path.removeprefix("api/v2/").removesuffix(".json")
    key = {"incidents/unresolved": "incidents"}.get(name, name.partition("/")[0].replace("-", "_"))
    keys = {"summary": {"components", "incidents", "scheduled_maintenances", "status"}, "status": {"status"}}
    assert found.keys() == {"page", *keys.get(name, {key})}
    check(found["page"], PAGE)
    for each in found.get("components", []):
        check_component(each)
    for each in found.get("incidents", []):
        check_incident(each, INCIDENT)
    for each in found.get("scheduled_maintenances", []):
        check_incident(each, MAINTENANCE)
    if "status" in found:
        check(found["status"], STATUS)


SNAPSHOTS = {
    "calm": samples.calm,
    "everything": samples.everything,
    "unknown": samples.unknown,
    "maintenance": samples.under_maintenance,
    "empty": lambda: replace(samples.calm(), components=(), groups=(), incidents=()),
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_every_file_has_the_published_shape(name: str) -> None:
    files = render(SNAPSHOTS[name]())
    assert {path for path in files if path.startswith("api/")} == set(PATHS)
    for path in PATHS:
        check_file(path, files[path])


def load(files: Mapping[str, bytes], name: str) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = json.loads(files[f"api/v2/{name}.json"])
    return found


def test_groups_name_their_components_and_stand_before_them(everything: Mapping[str, bytes]) -> None:
    components = load(everything, "components")["components"]
    assert [each["id"] for each in components][:5] == ["apps", "website", "checkout", "search", "public-api"]
    assert components[0]["components"] == ["website", "checkout", "search"]
    assert {each["id"]: each["group_id"] for each in components}["checkout"] == "apps"


def test_what_is_listed_where(everything: Mapping[str, bytes]) -> None:
    def ids(name: str, key: str) -> list[object]:
        return [each["id"] for each in load(everything, name)[key]]

    assert ids("incidents", "incidents") == ["inc-2041", "inc-2032", "inc-1987"]
    assert ids("incidents/unresolved", "incidents") == ["inc-2041"]
    assert ids("summary", "incidents") == ["inc-2041"]
    assert ids("scheduled-maintenances", "scheduled_maintenances") == ["mnt-71", "mnt-70", "mnt-69", "mnt-68"]
    assert ids("scheduled-maintenances/upcoming", "scheduled_maintenances") == ["mnt-71"]
    assert ids("scheduled-maintenances/active", "scheduled_maintenances") == ["mnt-70"]
    assert ids("summary", "scheduled_maintenances") == ["mnt-70", "mnt-71"]


def test_a_component_that_nothing_is_known_of_is_never_told_as_operational(everything: Mapping[str, bytes]) -> None:
    (mail,) = (each for each in load(everything, "components")["components"] if each["id"] == "mail")
    assert mail["status"] == "degraded_performance"
    assert mail["flyball_status"] == "unknown"


def test_ratios_are_never_rounded_up() -> None:
    component = samples.component("Website")
    assert component.uptime
    nearly = replace(component, uptime=replace(component.uptime, ratio=Decimal("0.99999999")))
    files = render(replace(samples.calm(), components=(nearly,), groups=()))
    (told,) = load(files, "components")["components"]
    assert told["flyball_uptime"]["ratio"] == "0.999999"  # type: ignore[index]


@pytest.mark.parametrize(
    ("snapshot", "indicator", "description"),
    [
        (samples.calm(), "none", "All Systems Operational"),
        (replace(samples.calm(), indicator=Impact.MINOR), "minor", "Partially Degraded Service"),
        (replace(samples.calm(), indicator=Impact.MAJOR), "major", "Partial System Outage"),
        (replace(samples.calm(), indicator=Impact.CRITICAL), "critical", "Major Service Outage"),
        (replace(samples.calm(), indicator=Impact.MAINTENANCE), "none", "Service Under Maintenance"),
        (samples.under_maintenance(), "none", "Service Under Maintenance"),
        (samples.unknown(), "none", "Status Unknown"),
        (samples.reduced(), "none", "All Systems Operational"),
    ],
)
def test_the_status_is_told_in_statuspages_words(snapshot: PublicSnapshot, indicator: str, description: str) -> None:
    told = json.loads(render(snapshot)["api/v2/status.json"])["status"]
    assert told == {"indicator": indicator, "description": description}


def test_only_two_files_change_while_nothing_happens() -> None:
    before = render(samples.calm())
    after = render(replace(samples.calm(), at=samples.NOW + timedelta(minutes=1)))
    changed = {path for path in PATHS if before[path] != after[path]}
    assert changed == {"api/v2/summary.json", "api/v2/status.json"}


def test_the_checker_sees_what_is_missing_added_or_of_another_kind(everything: Mapping[str, bytes]) -> None:
    component = load(everything, "components")["components"][1]
    for change in (
        {"status": ComponentStatus.UNKNOWN.value},
        {"position": "1"},
        {"created_at": "2026-11-30"},
        {"x": 1},
    ):
        with pytest.raises(AssertionError):
            check_component({**component, **change})
    with pytest.raises(AssertionError):
        check_component({name: value for name, value in component.items() if name != "start_date"})
