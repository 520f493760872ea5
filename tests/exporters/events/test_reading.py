"""What is read from CloudEvents, and every fault by its field."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.delivery import DeliveryEvent
from exporters.cloudevents.faults import Malformed
from exporters.cloudevents.requests import BATCH, STRUCTURED, Mode, mode_of
from exporters.events.reading import MAX_EVENT_BYTES, MAX_EVENTS, Candidate, Delivery, EventReader, Terms
from tests.exporters.events.sent import AT, NOW, body, sent

READER = EventReader(Terms("test"))
OWN, TIME = "data.customData", "data.context.timestamp"
NO_TIME = "is not a time as in RFC 3339: 2026-11-05T12:00:00Z"
DEPLOYED, UPGRADED = "dev.cdevents.service.deployed.0.3.0", "dev.cdevents.service.upgraded.0.3.0"
ONE, MANY, BINARY = Mode(), Mode(is_batch=True), Mode(is_binary=True)


def read(event: object) -> DeliveryEvent:
    return READER.event(Candidate("", event), NOW)


def faults(event: object) -> list[str]:
    delivery = READER.from_body(json.dumps(event).encode(), ONE, {}, NOW)
    assert (delivery.refused, delivery.events) == (1, ())
    return [str(fault) for fault in delivery.faults]


def changed(path: str, value: object, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """A valid event with another value there; `...` takes it away."""
    event = json.loads(json.dumps(sent() if event is None else event))
    *way, last = path.split(".")
    place = event
    for name in way:
        place = place.setdefault(name, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return event


def test_an_event_is_read_as_it_says() -> None:
    event = read(sent(own={"deployment": "d7"}, traceparent=f"00-{'a' * 32}-{'b' * 16}-01"))
    assert (event.source, event.id, event.subject, event.sender) == ("/ci", "e1", "checkout", "test")
    assert event.time == datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert (event.entity, event.trace_id) == ("deployment:/ci#d7", "a" * 32)
    assert orjson.loads(event.body)["data"]["subject"]["id"] == "checkout"


@pytest.mark.parametrize(
    ("event", "entity"),
    [
        (sent(), "deployment:/ci#e1"),
        (sent("service.rolledback", own={"deployment": "d7"}), "deployment:/ci#d7"),
        (sent("service.removed"), "deployment:/ci#e1"),
        (sent("service.published"), ""),
        (sent("build.started"), ""),
        (sent("change.merged", subject="12"), "change:github.com/acme/shop#12"),
        (sent("change.reviewed", subject="12"), "change:github.com/acme/shop#12"),
        (sent("change.merged", subject="@1f", content={}, source="https://h.test/web"), "change:h.test/web#@1f"),
        (sent("artifact.packaged", subject="pkg:oci/shop@sha256:1"), "artifact:pkg:oci/shop@sha256:1"),
        (sent("incident.detected", subject="7"), "incident:/ci#7"),
        (sent("incident.resolved", subject="7", about={"source": "/pager"}), "incident:/pager#7"),
    ],
)  # fmt: skip
def test_an_event_is_about_the_thing_that_it_names(event: dict[str, Any], entity: str) -> None:
    assert read(event).entity == entity


def test_what_the_cloudevent_leaves_out_is_taken_from_the_cdevent() -> None:
    full, short = read(sent()), read(sent(subject="checkout", time=None) | {"subject": None})
    assert (short.subject, short.time) == (full.subject, full.time)
    assert short.digest == full.digest
    kept = orjson.loads(short.body)
    assert (kept["subject"], kept["time"]) == ("checkout", AT)


def test_how_an_event_came_is_no_part_of_what_it_says() -> None:
    traced = sent(
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01", datacontenttype="application/json", dataschema="https://x.test/s"
    )
    later = changed("time", "2026-11-20T12:00:00+02:00")  # the same instant
    assert read(sent()).digest == read(traced).digest == read(later).digest
    assert read(sent(own={"version": "2"})).digest != read(sent()).digest


@pytest.mark.parametrize(
    "type_", ["com.acme.built", "dev.cdevents.service.deployed.0.9.0", "dev.cdevents.service.deployed"]
)
def test_types_that_nobody_knows_are_kept_whatever_they_hold(type_: str) -> None:
    for data in ({"any": [1, 2.5, None]}, "text", None):
        event = {"specversion": "1.0", "id": "1", "source": "/x", "type": type_, "data": data}
        found = read({name: value for name, value in event.items() if value is not None})
        assert (found.entity, found.is_known, found.time) == ("", False, NOW)
    delivery = READER.from_body(body(sent(), sent(type=type_)), MANY, {}, NOW)
    assert (len(delivery.events), delivery.unknown_types) == (2, (type_,))


def test_without_a_time_of_its_own_an_event_that_comes_later_is_still_the_same() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/x", "type": "com.acme.built"}
    again = READER.event(Candidate("", event), NOW + timedelta(hours=1))
    assert again.digest == read(event).digest


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("data.subject.content.environment.id", ..., "data.subject.content.environment.id: is missing"),
        ("data.subject.content.environment.id", "", "data.subject.content.environment.id: must not be empty"),
        ("data.subject.content.environment", 7, "data.subject.content.environment: must be an object, not a number"),
        ("data.subject.content.artifactId", ..., "data.subject.content.artifactId: is missing"),
        ("data.subject.content.colour", "red", "data.subject.content.colour: is not known to service.deployed.0.3.0"),
        ("data.subject", ..., "data.subject: is missing"),
        ("data.context.specversion", ..., "data.context.specversion: is missing"),
        ("data.context.source", "a b", "source: `/ci` contradicts data.context.source, which is `a b`"),
        ("data.context.timestamp", "yesterday", f"data.context.timestamp: `yesterday` {NO_TIME}"),
        ("data.context.schemaUri", "no", "data.context.schemaUri: `no` is not a URI with a scheme: https://example.com/…"),
        ("data.context.links", [{"linkType": "PATH"}], "data.context.links[0].from: is missing"),
        ("data.customData", 7, "data.customData: must be an object or text, not a number"),
        (OWN, {"flyball": 7}, "data.customData.flyball: must be an object, not a number"),
        (OWN, {"flyball": {"outcome": "meh"}}, f"{OWN}.flyball.outcome: must be `succeeded` or `failed`; it is `meh`"),
        (OWN, {"flyball": {"startedAt": "9 o'clock"}}, f"data.customData.flyball.startedAt: `9 o'clock` {NO_TIME}"),
        (OWN, {"flyball": {"changes": "12"}}, "data.customData.flyball.changes: must be a list, not text"),
        (OWN, {"flyball": {"run": "1\n2"}}, f"{OWN}.flyball.run: holds a control character, or a break of a line"),
        ("data", ..., "data: is missing: the CDEvent, with context and subject"),
        ("data", [1], "data: must be an object, not a list: the CDEvent, with context and subject"),
        ("specversion", "0.3", 'specversion: must be "1.0"'),
        ("id", ..., "id: is missing; must be text"),
        ("type", "", "type: must not be empty"),
        ("datacontenttype", "text/xml", "datacontenttype: only JSON is read: application/json"),
        ("data_base64", "AA==", "data_base64: only JSON is read: send it as data"),
        ("subject", "billing", "subject: `billing` contradicts data.subject.id, which is `checkout`"),
        ("id", "other", "id: `other` contradicts data.context.id, which is `e1`"),
        ("type", UPGRADED, f"type: `{UPGRADED}` contradicts data.context.type, which is `{DEPLOYED}`"),
        ("time", "2026-11-20T10:00:01Z", f"time: contradicts {TIME}: 2026-11-20T10:00:01.000000Z, and there `{AT}`"),
    ],
)  # fmt: skip
def test_a_fault_names_its_field_and_what_was_expected(path: str, value: object, told: str) -> None:
    assert [text for text in faults(changed(path, value)) if "URI reference" not in text] == [told]


def test_all_faults_of_an_event_are_told_at_once_and_no_more_than_ten() -> None:
    event = changed("time", "x", changed("subject", "billing", changed("data.subject.content.environment", ...)))
    assert [text.partition(":")[0] for text in faults(event)] == ["time", "data.subject.content.environment", "subject"]
    many = changed("data.subject.content", {f"k{number}": 1 for number in range(50)})
    assert len(faults(many)) == 10


def test_a_release_is_asked_for_the_types_that_it_has() -> None:
    assert faults(changed("data.context.specversion", "0.4.1")) == [
        "data.context.specversion: CDEvents 0.4.1 does not have dev.cdevents.service.deployed.0.3.0: there it is "
        "dev.cdevents.service.deployed.0.2.0"
    ]
    assert read(
        changed("data.context.specversion", "0.5.9")
    ).is_known  # a release that we don't know, with a type that we do


def test_events_of_0_4_say_their_version_and_the_kind_of_their_subject() -> None:
    type_ = "dev.cdevents.service.deployed.0.2.0"
    old = sent(type=type_)
    old["data"]["context"] |= {"version": "0.4.1", "type": type_}
    del old["data"]["context"]["specversion"]
    assert faults(old) == ["data.subject.type: is missing"]
    old["data"]["subject"]["type"] = "service"
    assert read(old).entity == "deployment:/ci#e1"
    old["data"]["context"]["chainId"] = "c"
    assert read(old).is_known
    old["data"]["context"]["version"] = "0.4.0"  # there it was spelled chain_id
    assert faults(old) == ["data.context.chainId: is not known to service.deployed.0.2.0"]


def test_a_clock_that_is_ahead_is_told_by_how_much() -> None:
    def at(ahead: timedelta) -> dict[str, Any]:
        return sent(at=f"{NOW + ahead:%Y-%m-%dT%H:%M:%SZ}")

    assert read(at(timedelta(minutes=5))).is_known
    assert faults(at(timedelta(hours=1, minutes=7))) == [
        "time: lies 1 h 7 min ahead of our clock (2026-12-01T12:00:00Z), more than the 5 min that are allowed: "
        "one of the two clocks is wrong"
    ]
    assert faults(at(timedelta(minutes=6)) | {"time": None})[0].startswith("data.context.timestamp: lies 6 min ahead")
    assert "the sender's clock was never set" in faults(sent(at="1970-01-01T00:00:00Z"))[0]


def test_a_key_that_stands_there_twice_is_found_in_one_pass() -> None:
    """Who looks for each of half a million names among all the others is busy for hours."""
    names = ", ".join(f'"{number:x}": 1' for number in range(500_000))
    text = f'{{{names}, "{499_999:x}": 2}}'
    assert str(READER.from_body(text.encode(), ONE, {}, NOW).faults[0]).startswith("7a11f: stands there twice")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": 1, "id": 2}', "id: stands there twice"),
        ('{"data": {"subject": {"id": "a", "id": "b"}}}', "data.subject.id: stands there twice"),
        ('{"data": {"n": [1, 1e999]}}', "data.n[1]: must be a number that fits 64 bits, not one that is larger"),
        ('{"data": NaN}', "data: must be a number that fits 64 bits, not NaN"),
        ('{"data": 123456789012345678901}', "data: must be a number that fits 64 bits, not one that is larger"),
        ('{"data": "\\ud800"}', "data: holds half a character (a lone surrogate)"),
        ('{"data": {"\\ud800": 1}}', "data: has a key that holds half a character: `?`"),
        ('{"data": ' + "[" * 260 + "]" * 260 + "}", "is nested more than 254 levels deep"),
    ],
)
def test_json_that_cannot_be_kept_as_it_was_checked_is_refused(text: str, told: str) -> None:
    delivery = READER.from_body(f"[{json.dumps(sent())}, {text}]".encode(), MANY, {}, NOW)
    assert (len(delivery.events), delivery.refused) == (1, 1)
    (fault,) = delivery.faults
    assert fault.place == "event 1"
    assert told in str(fault)
    assert len(str(fault)) < 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the body is empty"),
        (b"{", "is not JSON: Expecting property name"),
        (b"\xff", "is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5000, "a number has thousands of digits"),
    ],
)
def test_what_is_no_json_is_unreadable(content: bytes, told: str) -> None:
    delivery = READER.from_body(content, ONE, {}, NOW)
    assert (delivery.is_unreadable, delivery.refused) == (True, 1)
    assert told in str(delivery.faults[0])


def test_a_batch_is_a_list_of_a_bounded_number_of_events() -> None:
    assert READER.from_body(b"[]", MANY, {}, NOW) == Delivery()
    assert "a batch is a list" in str(READER.from_body(b"{}", MANY, {}, NOW).faults[0])
    full = READER.from_body(body(*[1] * (MAX_EVENTS + 1)), MANY, {}, NOW)
    assert (full.refused, str(full.faults[0])) == (
        10_001, "the batch holds 10,001 events, at most 10,000 are taken at once",
    )  # fmt: skip


def test_one_event_may_not_be_larger_than_a_quarter_of_a_megabyte() -> None:
    padded = changed("data.customData", {"other": "x" * MAX_EVENT_BYTES})
    assert f"one event may have {MAX_EVENT_BYTES:,}" in faults(padded)[0]


def test_of_a_large_event_or_after_a_hundred_faults_one_is_told() -> None:
    links = {"links": [{"linkType": "PATH"}] * 2_000}
    assert faults(changed("data.context", sent()["data"]["context"] | links)) == [
        "data.context.links[0].from: is missing"
    ]
    several = changed("data.subject.content", {f"k{number}": 1 for number in range(9)})
    delivery = READER.from_body(body(*[several] * 50), MANY, {}, NOW)
    assert (delivery.refused, len(delivery.faults)) == (50, 100)


def test_names_that_no_index_takes_are_refused() -> None:
    event = sent("incident.detected", subject="🚢" * 250, about={"source": "/" + "s" * 1000})
    assert "longer than 2,000 bytes together" in faults(event)[0]


def test_binary_mode_carries_the_attributes_in_headers() -> None:
    event = sent(subject="caf%C3%A9")
    event["data"]["subject"]["id"] = "café"
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    delivery = READER.from_body(
        json.dumps(event["data"]).encode(), BINARY, headers | {"content-type": "application/json; charset=utf-8"}, NOW
    )
    assert delivery.faults == ()
    assert delivery.events[0].subject == "café"
    event["subject"] = "café"
    assert delivery.events[0].digest == read(event).digest


@pytest.mark.parametrize(
    ("headers", "mode"),
    [
        ({"content-type": f"{STRUCTURED}; charset=UTF-8"}, ONE),
        ({"content-type": BATCH}, MANY),
        ({"content-type": "application/json", "ce-specversion": "1.0"}, BINARY),
    ],
)
def test_headers_say_how_events_are_carried(headers: dict[str, str], mode: Mode) -> None:
    assert mode_of(headers) == mode


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"content-type": "application/json"}, f"send {STRUCTURED}, {BATCH}, or ce-… headers"),
        ({"content-type": BATCH, "content-encoding": "gzip"}, "must not be packed"),
        ({"content-type": f"{BATCH}; charset=latin-1"}, "JSON is UTF-8"),
    ],
)
def test_other_ways_are_not_understood(headers: dict[str, str], told: str) -> None:
    with pytest.raises(Malformed) as raised:
        mode_of(headers)
    assert told in raised.value.reason


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
PATHS = [
    "specversion", "id", "source", "type", "subject", "time", "data", "data.context", "data.context.type",
    "data.context.links", "data.context.timestamp", "data.subject", "data.subject.id", "data.subject.content",
    "data.subject.content.environment", "data.customData", "data.customData.flyball", "data.customData.flyball.changes",
]  # fmt: skip


@given(path=st.sampled_from(PATHS), value=JSON_VALUES)
def test_whatever_stands_anywhere_an_event_is_taken_or_its_faults_are_told(path: str, value: object) -> None:
    delivery = READER.gathered([Candidate("", changed(path, value, sent(own={"version": "1"})))], NOW)
    assert len(delivery.events) + delivery.refused == 1
    assert all(fault.reason and fault.field.isprintable() for fault in delivery.faults)
    assert bool(delivery.faults) == bool(delivery.refused)
    for event in delivery.events:
        assert orjson.loads(event.body)["id"] == event.id
