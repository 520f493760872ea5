"""What Alertmanager's bodies mean, and what is refused."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerts import webhook
from alerts.webhook import Refusal, parse_webhook
from controlplane.model.alert import AlertNotification, AlertStatus
from tests.alerts.notifications import ZERO, alert, body, notification


def parsed(content: bytes) -> AlertNotification:
    result = parse_webhook(content)
    assert isinstance(result, AlertNotification), result
    return result


def refused(content: bytes) -> Refusal:
    result = parse_webhook(content)
    assert isinstance(result, Refusal), result
    return result


def test_a_firing_alert_has_no_end_and_its_start_in_microseconds() -> None:
    (found,) = parsed(body(alert())).alerts
    assert found.status is AlertStatus.FIRING
    assert found.ends_at is None
    assert found.starts_at == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert found.labels["slo"] == "checkout-1"
    assert found.annotations["summary"] == "checkout burns"


def test_a_resolved_alert_has_its_end() -> None:
    (found,) = parsed(body(alert(status="resolved"))).alerts
    assert found.ends_at == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def test_a_group_is_taken_whole() -> None:
    found = parsed(body(alert(1), alert(2, "resolved"), truncatedAlerts=7))
    assert [one.fingerprint for one in found.alerts] == [f"{1:016x}", f"{2:016x}"]
    assert (found.receiver, found.truncated_alerts, found.status) == ("flyball", 7, AlertStatus.FIRING)
    assert found.external_url == "http://alertmanager.example"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:00.5Z", datetime(2026, 3, 1, 12, 0, 0, 500000, tzinfo=UTC)),
        ("2026-03-01T12:00:00.999999999Z", datetime(2026, 3, 1, 12, 0, 0, 999999, tzinfo=UTC)),
        ("2026-03-01T12:00:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01T00:30:00.25-05:30", datetime(2026, 3, 1, 6, 0, 0, 250000, tzinfo=UTC)),
        ("2026-03-01t12:00:00z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_times_come_with_any_offset_and_fraction(text: str, expected: datetime) -> None:
    (found,) = parsed(body(alert(startsAt=text))).alerts
    assert found.starts_at == expected


def test_unknown_keys_are_ignored() -> None:
    more = alert(silenceURL="http://x", values={"B": 1})
    assert parsed(body(more, notification_reason="new", routeLabels={"a": "b"}, orgId=1)).alerts


def test_annotations_may_be_missing_and_urls_too() -> None:
    bare = alert()
    del bare["annotations"], bare["generatorURL"]
    document = notification(bare)
    del document["externalURL"], document["truncatedAlerts"]
    (found,) = parsed(json.dumps(document).encode()).alerts
    assert (found.annotations, found.generator_url) == ({}, "")


def without(document: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize("name", ["version", "groupKey", "status", "receiver", "alerts"])
def test_a_missing_field_is_named(name: str) -> None:
    why = refused(json.dumps(without(notification(alert()), name)).encode())
    assert why.field == name
    assert "missing" in why.reason


@pytest.mark.parametrize("name", ["status", "labels", "startsAt", "fingerprint"])
def test_a_missing_field_of_an_alert_is_named_with_its_place(name: str) -> None:
    why = refused(body(alert(), without(alert(2), name)))
    assert why.field == f"alerts[1].{name}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": "3"}, "version"),
        ({"version": 4}, "version"),
        ({"status": "pending"}, "status"),
        ({"receiver": ["a"]}, "receiver"),
        ({"groupKey": None}, "groupKey"),
        ({"alerts": {}}, "alerts"),
        ({"alerts": ["x"]}, "alerts[0]"),
        ({"truncatedAlerts": -1}, "truncatedAlerts"),
        ({"truncatedAlerts": True}, "truncatedAlerts"),
        ({"truncatedAlerts": 1.5}, "truncatedAlerts"),
        ({"externalURL": 1}, "externalURL"),
    ],
)
def test_an_odd_field_is_named(change: dict[str, object], field: str) -> None:
    assert refused(body(**change)).field == field  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "FIRING"}, "status"),
        ({"startsAt": "yesterday"}, "startsAt"),
        ({"startsAt": "2026-01-01"}, "startsAt"),
        ({"startsAt": "2026-01-01T00:00:00"}, "startsAt"),
        ({"startsAt": "2026-13-01T00:00:00Z"}, "startsAt"),
        ({"startsAt": "2026-01-01T25:00:00Z"}, "startsAt"),
        ({"startsAt": "2026-01-01T00:00:00+25:00"}, "startsAt"),
        ({"startsAt": "2026-01-01T00:00:00+01:75"}, "startsAt"),
        ({"startsAt": "0001-01-01T00:00:00+01:00"}, "startsAt"),
        ({"startsAt": "٢٠٢٦-01-01T00:00:00Z"}, "startsAt"),
        ({"startsAt": 1767225600}, "startsAt"),
        ({"startsAt": ZERO}, "startsAt"),
        ({"status": "resolved", "endsAt": ZERO}, "endsAt"),
        ({"status": "resolved", "endsAt": "2025-12-31T23:59:59Z"}, "endsAt"),
        ({"status": "resolved", "endsAt": None}, "endsAt"),
        ({"labels": {}}, "labels"),
        ({"labels": None}, "labels"),
        ({"labels": {"a": 1}}, "labels.a"),
        ({"labels": {"": "x"}}, "labels"),
        ({"labels": {"a": "x" * (webhook.MAX_LABEL_CHARACTERS + 1)}}, "labels.a"),
        ({"labels": {f"l{i}": "" for i in range(webhook.MAX_LABELS + 1)}}, "labels"),
        ({"annotations": [1]}, "annotations"),
        ({"annotations": {"summary": None}}, "annotations.summary"),
        ({"fingerprint": ""}, "fingerprint"),
        ({"fingerprint": "a b"}, "fingerprint"),
        ({"fingerprint": "a" * 129}, "fingerprint"),
        ({"generatorURL": {}}, "generatorURL"),
    ],
)
def test_an_odd_field_of_an_alert_is_named(change: dict[str, object], field: str) -> None:
    assert refused(body(alert(**change), status="firing")).field == f"alerts[0].{field}"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe\xff", "not UTF-8"),
        (b"[]", "must be a JSON object, not a list"),
        (b"null", "must be a JSON object, not null"),
        (b"12", "must be a JSON object, not a number"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"version": ' + b"9" * 5000 + b"}", "a number is too long"),
    ],
)
def test_what_is_no_json_object_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    why = refused(content)
    assert why.field == ""
    assert reason in why.reason


def test_too_many_alerts_are_refused() -> None:
    assert refused(body(*[alert()] * (webhook.MAX_ALERTS + 1))).field == "alerts"


def test_text_that_no_database_takes_is_mended() -> None:
    (found,) = parsed(body(alert(annotations={"summary": "a\x00b\ud800c"}))).alerts
    assert found.annotations == {"summary": "a\ufffdb\ufffdc"}


def test_an_endless_annotation_is_cut_rather_than_the_alert_lost() -> None:
    (found,) = parsed(body(alert(annotations={"description": "x" * 100_000}))).alerts
    assert len(found.annotations["description"]) == webhook.MAX_TEXT_CHARACTERS
    assert found.annotations["description"].endswith("…")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary(max_size=200))
@example(b'"\\ud800"')
def test_no_bytes_make_it_raise(content: bytes) -> None:
    assert isinstance(parse_webhook(content), AlertNotification | Refusal)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.dictionaries(st.sampled_from([*notification(), "x"]), JSON), st.dictionaries(st.sampled_from([*alert()]), JSON)
)
def test_no_json_makes_it_raise_and_what_passes_can_be_stored(
    outer: dict[str, object], inner: dict[str, object]
) -> None:
    document = notification(alert(**inner)) | outer
    result = parse_webhook(json.dumps(document).encode())
    if isinstance(result, AlertNotification):
        for one in result.alerts:
            for text in (*one.labels.items(), *one.annotations.items(), (one.generator_url, one.fingerprint)):
                assert "\x00" not in "".join(text)
                "".join(text).encode()
            assert one.starts_at.tzinfo is UTC
            assert (one.ends_at is None) == (one.status is AlertStatus.FIRING)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 -- made aware below
def test_every_time_that_go_writes_is_read_exactly(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    (found,) = parsed(body(alert(startsAt=aware.isoformat().replace("+00:00", "Z")))).alerts
    assert found.starts_at == aware
