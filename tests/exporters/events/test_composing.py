"""Events written from words, and files of events."""

import io
import json
from typing import Any

import pytest

from exporters.events.composing import WORDS, Said, Unfit, composed
from exporters.events.event_files import candidates
from exporters.events.hints import unread_fields
from exporters.events.reading import Candidate, EventReader, Terms
from tests.exporters.events.sent import AT, NOW, sent

READER = EventReader(Terms("file"))
SHOP, SHA = "git@GitHub.com:acme/shop.git", "1f" * 20


def said(word: str, **changes: Any) -> Said:
    """Enough for each word."""
    about = WORDS[word].partition(".")[0]
    enough: dict[str, dict[str, Any]] = {
        "service": {"services": ("checkout",), "own": {"version": "1.4.2"}},
        "change": {"repository": SHOP, "number": "12"},
        "artifact": {"artifact": "pkg:oci/shop@sha256:1", "repository": SHOP, "revision": SHA},
        "incident": {"incident": "7", "services": ("checkout",), "own": {"url": "https://tickets.test/7"}},
    }
    return Said(**(enough[about] | changes))


@pytest.mark.parametrize("word", WORDS)
def test_every_word_becomes_a_valid_event(word: str) -> None:
    event = READER.event(Candidate("", composed(word, said(word), at=AT)), NOW)
    assert event.type.startswith(f"dev.cdevents.{WORDS[word]}.")
    assert event.is_known
    assert event.source == "/flyball/cli"


def test_the_same_words_at_the_same_time_are_the_same_event() -> None:
    first = composed("deployed", said("deployed"), at=AT)
    assert composed("deployed", said("deployed"), at=AT) == first
    assert composed("deployed", said("deployed", own={"version": "2"}), at=AT)["id"] != first["id"]
    assert composed("deployed", said("deployed"), at=AT, id_="run-7")["id"] == "run-7"


@pytest.mark.parametrize(
    ("given", "artifact"),
    [
        ({"artifact": "pkg:oci/shop@sha256:1", "repository": SHOP, "revision": SHA}, "pkg:oci/shop@sha256:1"),
        ({"repository": SHOP, "revision": SHA}, f"pkg:github/acme/shop@{SHA}"),
        ({"own": {"version": "1.4.2"}}, "pkg:generic/checkout@1.4.2"),
        ({"revision": SHA, "own": {}}, f"pkg:generic/checkout@{SHA}"),
    ],
)
def test_an_artifact_that_nobody_names_is_made_of_the_rest(given: dict[str, Any], artifact: str) -> None:
    data: Any = composed("deployed", said("deployed", **given), at=AT)["data"]
    assert data["subject"]["content"]["artifactId"] == artifact


@pytest.mark.parametrize(
    ("word", "given", "option"),
    [
        ("deployed", {"services": ()}, "service"),
        ("deployed", {"services": ("a", "b")}, "service"),
        ("deployed", {"own": {}}, "version"),
        ("deployed", {"number": "12"}, "number"),
        ("deployed", {"own": {"version": "1", "priority": "P1"}}, "priority"),
        ("merged", {"repository": ""}, "repository"),
        ("merged", {"number": ""}, "number"),
        ("merged", {"environment": "staging"}, "environment"),
        ("merged", {"own": {"startedAt": AT}}, "started-at"),
        ("merged", {"own": {"counted": False}}, "drill"),
        ("packaged", {"artifact": ""}, "artifact"),
        ("packaged", {"revision": ""}, "change"),
        ("packaged", {"changes": ("12", "13")}, "change"),
        ("published", {"changes": ("12",)}, "change"),
        ("incident-detected", {"incident": ""}, "incident"),
        ("incident-reported", {"own": {}}, "link"),
        ("incident-resolved", {"services": ("a", "b")}, "service"),
        ("incident-resolved", {"changes": ("12",)}, "change"),
    ],
)
def test_what_is_missing_or_does_not_fit_is_told_by_its_option(word: str, given: dict[str, Any], option: str) -> None:
    with pytest.raises(Unfit) as raised:
        composed(word, said(word, **given), at=AT)
    assert raised.value.option == option


def test_files_hold_one_event_a_list_or_one_a_line_wrapped_or_not() -> None:
    wrapped = sent()
    bare = wrapped["data"]
    for text in (json.dumps(bare), json.dumps([bare], indent=2), f"\n{json.dumps(bare)}\n\n", json.dumps(wrapped)):
        (found,) = candidates(io.BytesIO(text.encode()))
        assert found.event == wrapped
    lines = list(candidates(io.BytesIO(f"{json.dumps(bare)}\n{{\n\n{json.dumps(wrapped)}".encode())))
    assert [each.place for each in lines] == ["line 1", "line 2", "line 4"]
    delivery = READER.gathered(lines, NOW)
    assert (len(delivery.events), [fault.place for fault in delivery.faults]) == (2, ["line 2"])


def test_a_field_of_ours_that_was_mistyped_is_hinted_at() -> None:
    events = [READER.event(Candidate("", sent(own={"verison": "1", "version": "1"})), NOW)]
    (hint,) = unread_fields(events)
    assert hint.startswith("data.customData.flyball.verison is not read; known are changes, deployment")
