"""Our data of CDEvents' schemas says what the published ones say.

With FLYBALL_CDEVENTS_SPEC naming a checkout of github.com/cdevents/spec, or its git directory, they are compared;
without it, a few facts of theirs are.
"""

import importlib.util
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from exporters.events.cdevents.schemas import published

ROOT = Path(__file__).resolve().parents[3]
SPEC = os.environ.get("FLYBALL_CDEVENTS_SPEC", "")
SCHEMAS = published()
needs_spec = pytest.mark.skipif(not SPEC, reason="FLYBALL_CDEVENTS_SPEC names no checkout of github.com/cdevents/spec")
# What is broken in a release and repaired in our data: see REPAIRS of scripts/cdevents_schemas.py.
NEVER_VALID = {("0.5.0", kind) for kind in ("pipelinerunfinished", "testcaserunfinished", "testsuiterunfinished")}


def test_four_releases_have_45_types_each() -> None:
    assert [(release.name, len(release.types)) for release in SCHEMAS.releases] == [
        ("0.4.0", 45), ("0.4.1", 45), ("0.5.0", 45), ("0.5.1", 45),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "named", "release"),
    [
        ("dev.cdevents.service.deployed.0.3.0", "0.5.0", "0.5.0"),
        ("dev.cdevents.service.deployed.0.3.0", "0.5.1", "0.5.1"),
        ("dev.cdevents.service.deployed.0.3.0", "0.6.0", "0.5.1"),
        ("dev.cdevents.service.deployed.0.3.0", None, "0.5.1"),
        ("dev.cdevents.service.deployed.0.2.0", "0.4.0", "0.4.0"),
        ("dev.cdevents.service.deployed.0.2.0", "0.5.1", ""),
        ("dev.cdevents.change.created.0.3.0", "0.4.1", "0.4.1"),  # change.created is one version ahead of the others
        ("dev.cdevents.change.created.0.4.0", "0.5.1", "0.5.1"),
        ("dev.cdevents.ticket.closed.0.1.0", "0.4.0", "0.4.0"),
        ("dev.cdevents.ticket.closed.0.2.0", "0.5.1", "0.5.1"),
    ],
)
def test_the_version_of_a_type_tells_its_releases(type_: str, named: str | None, release: str) -> None:
    assert SCHEMAS.release_of(type_, named) == release


@pytest.mark.parametrize(
    ("type_", "release", "required"),
    [
        ("dev.cdevents.service.deployed.0.3.0", "0.5.1", ["artifactId", "environment"]),
        ("dev.cdevents.service.removed.0.3.0", "0.5.1", None),
        ("dev.cdevents.incident.detected.0.3.0", "0.5.1", ["environment"]),
        ("dev.cdevents.artifact.packaged.0.3.0", "0.5.1", ["change"]),
        ("dev.cdevents.change.merged.0.2.0", "0.4.1", None),
    ],
)
def test_what_a_subject_must_hold(type_: str, release: str, required: list[str] | None) -> None:
    assert SCHEMAS.schema(type_, release)["properties"]["subject"]["properties"]["content"].get("required") == required


def test_the_data_tells_where_it_comes_from_and_holds_no_sentences() -> None:
    data = json.loads((ROOT / "exporters/events/cdevents/schemas.json").read_text())
    assert "Apache-2.0" in data["notice"]["licence"]
    assert "github.com/cdevents/spec" in data["notice"]["source"]
    assert not {"title", "description", "example", "$id"} & keywords([*data["parts"].values(), data["releases"]])


def keywords(value: object) -> set[str]:
    if isinstance(value, list):
        return {name for each in value for name in keywords(each)}
    if not isinstance(value, dict):
        return set()
    found = {name for name, each in value.items() if name != "properties"}
    inner = [each for name, each in value.items() if name != "properties"] + list(value.get("properties", {}).values())
    return found | keywords(inner)


@pytest.mark.soak
@needs_spec
def test_the_file_is_what_the_script_makes_of_a_checkout() -> None:
    script = ROOT / "scripts/cdevents_schemas.py"
    done = subprocess.run(
        [str(ROOT / ".venv/bin/python"), str(script), SPEC, "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "the same\n")


@pytest.mark.soak
@needs_spec
@pytest.mark.parametrize("release", ["0.4.0", "0.4.1", "0.5.0", "0.5.1"])
def test_events_are_taken_and_refused_as_by_the_originals(release: str) -> None:
    originals = Originals(release)
    compared = 0
    for name in originals.names:
        original, example = originals.validator(name), originals.example(name)
        ours = SCHEMAS.validator(example["context"]["type"], release)
        if (release, name) in NEVER_VALID:
            assert not original.is_valid(example)
            assert ours.is_valid(example)
            continue
        for event in [example, *variants(example)]:
            if event["context"].get("type") != example["context"]["type"]:
                continue  # the type is what ours is found by
            assert ours.is_valid(event) == original.is_valid(event), (name, event)
            compared += 1
    assert compared > 2_000


class Originals:
    """The schemas and examples of a release as they were published."""

    def __init__(self, release: str) -> None:
        loaded = importlib.util.spec_from_file_location("cdevents_schemas", ROOT / "scripts/cdevents_schemas.py")
        assert loaded is not None
        assert loaded.loader is not None
        script = importlib.util.module_from_spec(loaded)
        loaded.loader.exec_module(script)
        self._checkout = script.Checkout(Path(SPEC))
        self._release = release
        self.names = [name.removesuffix(".json") for name in self._checkout.names(release)]
        self._links = {
            name: self._checkout.schema(release, f"links/{name}.json")
            for name in ("embeddedlinksarray", "embeddedlinkend", "embeddedlinkpath", "embeddedlinkrelation")
        }

    def validator(self, name: str) -> jsonschema_rs.Draft202012Validator:
        schema = self._checkout.schema(self._release, f"{name}.json")
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, retriever=self._link)

    def _link(self, uri: str) -> Any:
        return self._links[uri.rpartition("/")[2].removesuffix(".json")]

    def example(self, name: str) -> dict[str, Any]:
        parts = self._checkout.schema(self._release, f"{name}.json")["properties"]["context"]["properties"]["type"]
        subject, predicate = parts["enum"][0].split(".")[2:4]
        folder = "examples" if self._release == "0.4.0" else "conformance"
        listed = self._checkout._git("show", f"v{self._release}:{folder}/{subject}_{predicate}.json")
        example: dict[str, Any] = json.loads(listed)
        if self._release == "0.4.0":
            example["context"].pop("links", None)  # none is valid there
        return example


def variants(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same with one thing less, other or more, at every place."""
    for path in list(paths(event)):
        values: tuple[Any, ...] = (..., 7, "", "a b", {}, [], None, "2026-11-05T12:00:00Z")
        for value in values:
            yield put(event, path, value)
        if path:
            yield put(event, (*path[:-1], "another"), 1)


def paths(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*path, name)
            yield from paths(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield (*path, index)
            yield from paths(each, (*path, index))


def put(event: dict[str, Any], path: tuple[Any, ...], value: object) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(event))
    place: Any = copy
    for name in path[:-1]:
        place = place[name]
    if value is ...:
        del place[path[-1]]
    elif isinstance(place, list) and not isinstance(path[-1], int):
        place.append(value)
    else:
        place[path[-1]] = value
    return copy if isinstance(copy.get("context"), dict) else event
