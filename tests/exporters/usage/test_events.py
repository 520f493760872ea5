"""CloudEvents as they come, and everything that may be wrong with them."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.model.usage import Aggregation, AsideReason
from exporters.usage import deliveries, event_files
from exporters.usage.deliveries import Delivery, from_body, from_headers
from exporters.usage.measuring import MAX_PAYLOAD_BYTES, OLDEST, Measurer
from exporters.usage.terms import UsageTerms
from tests.exporters.usage.metering import NOW, TERMS, TOKENS, body, lines, sent, tokens

_MEASURER = Measurer(TERMS)


def taken(*events: object) -> Delivery:
    return from_body(body(*events), is_batch=True, measurer=_MEASURER, now=NOW)


def quantity(value: object) -> Decimal:
    (event,) = taken(tokens(1, value)).events
    return event.readings[0].quantity


def fault(event: object) -> str:
    delivery = taken(sent("good"), event)
    assert (delivery.refused, len(delivery.events)) == (1, 1)
    assert delivery.faults[0].place == "event 1"
    return f"{delivery.faults[0].field}: {delivery.faults[0].reason}"


def test_an_event_is_read_with_its_tenant_time_quantity_and_labels() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    delivery = taken(sent(traceparent=f"00-{trace}-00f067aa0ba902b7-01", time="2026-11-20T12:00:00.1234567+02:00"))
    (event,) = delivery.events
    (reading,) = event.readings
    assert (event.tenant, event.source, event.id, event.trace_id) == ("alpha", "urn:gateway", "e1", trace)
    assert event.time.isoformat() == "2026-11-20T10:00:00.123456+00:00"
    assert (reading.meter, reading.aggregation, reading.quantity) == ("tokens", Aggregation.SUM, 10)
    assert reading.dimensions == '{"model":"small"}'


@pytest.mark.parametrize(
    ("written", "quantity_"),
    [
        ("0", "0"), ("7", "7"), ("0.1", "0.1"), ('"0.1"', "0.1"), ("1e3", "1000"), ("1.50", "1.5"), ("-0", "0"),
        ("123456789012345678.123456789012", "123456789012345678.123456789012"),
        ("999999999999999999", "999999999999999999"), ("0.30000000000000004", None),
        ("0.100000000000000000", "0.1"), ("1.000000000000000000000000", "1"), ("-0.0", "0"),
    ],
)  # fmt: skip
def test_numbers_stay_as_exact_as_they_were_written(written: str, quantity_: str | None) -> None:
    text = body(tokens(1, "@")).replace(b'"@"', written.encode())
    delivery = from_body(text, is_batch=True, measurer=_MEASURER, now=NOW)
    if quantity_ is None:
        assert "more than 18 digits before or 12 after the point" in delivery.faults[0].reason
    else:
        assert delivery.events[0].readings[0].quantity == Decimal(quantity_)


@given(st.decimals(0, 10**17, places=12))
def test_any_decimal_within_bounds_is_taken_exactly_as_number_and_as_text(value: Decimal) -> None:
    text = format(value, "f")
    as_number = body(tokens(1, "@")).replace(b'"@"', text.encode())
    for content in (as_number, body(tokens(1, text))):
        (event,) = from_body(content, is_batch=True, measurer=_MEASURER, now=NOW).events
        assert event.readings[0].quantity == value


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("-1", "must not be negative; it is `-1`"),
        ("-0.5", "must not be negative"),
        ('"-3"', "must not be negative"),
        ("NaN", "must be a finite number"),
        ("Infinity", "must be a finite number"),
        ("-Infinity", "must be a finite number"),
        ("1e400", "must be a finite number"),
        ("1e99999999999999999999", "must be a finite number"),
        ("1" * 5000, "must be a finite number"),
        ("1000000000000000000", "more than 18 digits before"),
        ("123456789012345678901234567890", "more than 18 digits before"),
        ("0.0000000000001", "12 after the point"),
        ('"ten"', "`ten` is not a decimal number"),
        ('"1_0"', "`1_0` is not a decimal number"),
        ('"١٢"', "is not a decimal number"),
        ('" 1"', "is not a decimal number"),
        ('""', "is not a decimal number"),
        ("true", "must be a number, not true or false"),
        ("null", "is missing"),
        ("[1]", "must be a number, not a list"),
        ("{}", "must be a number, not an object"),
    ],
)
def test_a_quantity_that_is_none_is_refused_by_its_field(written: str, reason: str) -> None:
    text = body(sent("good"), tokens(1, "@")).replace(b'"@"', written.encode())
    delivery = from_body(text, is_batch=True, measurer=_MEASURER, now=NOW)
    assert (delivery.refused, len(delivery.events)) == (1, 1)
    assert delivery.faults[0].place == "event 1"
    assert delivery.faults[0].field == "data.tokens.total"
    assert reason in delivery.faults[0].reason


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"specversion": None}, 'specversion: is missing; must be "1.0"'),
        ({"specversion": "0.3"}, 'specversion: must be "1.0"'),
        ({"id": None}, "id: is missing; must be text"),
        ({"id": 5}, "id: must be text, not a number"),
        ({"id": ""}, "id: must not be empty"),
        ({"id": "x" * 257}, "id: is 257 characters long, more than 256"),
        ({"id": "a\nb"}, "id: holds a control character"),
        ({"id": "a\u0000b"}, "id: holds a control character"),
        ({"source": None}, "source: is missing"),
        ({"source": "s" * 513}, "source: is 513 characters long"),
        ({"type": None}, "type: is missing"),
        ({"time": None}, "time: is missing; must be a time as in RFC 3339"),
        ({"time": 5}, "time: must be a time as in RFC 3339, not a number"),
        ({"time": "2026-11-20"}, "time: `2026-11-20` is not a time as in RFC 3339"),
        ({"time": "2026-11-20T10:00:00"}, "is not a time as in RFC 3339"),
        ({"time": "2026-02-30T10:00:00Z"}, "is not a time as in RFC 3339"),
        ({"time": "2026-11-20T10:00:60Z"}, "is not a time as in RFC 3339"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "is not a time as in RFC 3339"),
        ({"time": "2026-11-20T12:05:01Z"}, "time: 2026-11-20T12:05:01Z lies in the future: it is 2026-11-20T12:00:00Z"),
        ({"time": "2025-01-01T00:00:00Z"}, "time: 2025-01-01T00:00:00Z is more than 400 days ago"),
        ({"subject": None}, "subject: is missing; must name the tenant"),
        ({"subject": 7}, "subject: must be text, not a number"),
        ({"subject": "a b"}, "subject: `a b` is not a tenant's name"),
        ({"subject": "=cmd()"}, "is not a tenant's name"),
        ({"subject": "other"}, "is not a tenant's name"),
        ({"subject": "x" * 129}, "is not a tenant's name"),
        ({"datacontenttype": "text/xml"}, "datacontenttype: only JSON is read"),
        ({"data": [1]}, "data: must be an object, not a list"),
        ({"data": None}, "data.tokens.total: is missing"),
        ({"data": None, "data_base64": "AA=="}, "data_base64: only JSON is read"),
        ({"data": {"model": 1.5, "tokens": {"total": 1}}}, "data.model: must be text or a whole number"),
        ({"data": {"model": "x" * 129, "tokens": {"total": 1}}}, "data.model: is 129 characters long"),
        ({"data": {"model": ["x"], "tokens": {"total": 1}}}, "data.model: must be text or a whole number, not a list"),
        ({"data": {"pad": "x" * MAX_PAYLOAD_BYTES, "tokens": {"total": 1}}}, "data: is larger than 65,536 bytes"),
    ],
)
def test_every_fault_of_an_event_names_its_field(changes: dict[str, Any], expected: str) -> None:
    assert expected in fault(sent(1, **changes))


@pytest.mark.parametrize("event", [5, "x", None, [], True, 1.5])
def test_what_is_no_object_is_no_event(event: object) -> None:
    assert "must be an object, not" in fault(event)


def test_data_nested_too_deeply_is_refused_even_beside_a_fraction() -> None:
    nested: Any = 1
    for _ in range(40):
        nested = {"deeper": nested}
    assert "is nested more than 16 levels deep" in fault(sent(1, data={"share": 0.5, "nested": nested}))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "a batch is a list of events, not an object"),
        (b"null", "a batch is a list of events, not null"),
        (b"[" + b"{}," * 10_000 + b"{}]", "holds 10,001 events, at most 10,000"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_as_a_whole(content: bytes, reason: str) -> None:
    delivery = from_body(content, is_batch=True, measurer=_MEASURER, now=NOW)
    assert delivery.events == ()
    assert reason in delivery.faults[0].reason


def test_at_most_a_hundred_faults_are_told_and_all_are_counted() -> None:
    delivery = taken(*[tokens(number, -1) for number in range(150)])
    assert (len(delivery.faults), delivery.refused) == (100, 150)


def test_an_empty_batch_is_no_mistake() -> None:
    assert taken() == Delivery()


def test_what_no_meter_and_no_contract_knows_is_set_aside() -> None:
    measurer = Measurer(UsageTerms((replace(TOKENS, only_contracts=True),)))
    delivery = from_body(
        body(sent(1, type="what.is.this"), sent(2)), is_batch=True, measurer=measurer, now=NOW
    )  # fmt: skip
    assert [each.reason for each in delivery.aside] == [AsideReason.UNKNOWN_TYPE, AsideReason.UNKNOWN_TENANT]
    assert delivery.aside[0].event.payload.startswith(b'["what.is.this",')
    assert delivery.events == ()


def test_the_tenant_may_stand_in_the_data() -> None:
    measurer = Measurer(UsageTerms((replace(TOKENS, tenant=("customer", "id")),)))
    event = sent(1, subject=None, data={"customer": {"id": "beta"}, "tokens": {"total": 1}})
    (found,) = from_body(body(event), is_batch=True, measurer=measurer, now=NOW).events
    assert found.tenant == "beta"
    wrong = from_body(body(sent(1)), is_batch=True, measurer=measurer, now=NOW)
    assert str(wrong.faults[0]) == "event 0: data.customer.id: is missing; must name the tenant"


def digest(**changes: Any) -> bytes:
    (event,) = taken(sent(**changes)).events
    return event.digest


def test_the_digest_is_of_what_an_event_says_not_of_how_it_is_written() -> None:
    plain = digest()
    assert digest(time="2026-11-20T11:00:00.000+01:00") == plain
    assert digest(data={"tokens": {"total": 10}, "model": "small"}) == plain
    assert digest(data={"tokens": {"total": 10.0}, "model": "small"}) == plain
    assert digest(knativearrivaltime="2026-11-20T10:00:01Z", datacontenttype="application/json") == plain
    assert digest(data={"tokens": {"total": 11}, "model": "small"}) != plain
    assert digest(data={"tokens": {"total": 10}, "model": "small", "more": None}) != plain
    assert digest(time="2026-11-20T10:00:00.000001Z") != plain


def test_an_event_has_one_digest_whatever_stands_beside_it_in_the_batch() -> None:
    event = tokens(1, 10) | {"data": {"model": "small", "share": 0.1, "tokens": {"total": 10}}}
    alone, beside = taken(event).events[0], taken(event, tokens(2, 0.25)).events[0]
    unreadable = body(event, tokens(2, "@")).replace(b'"@"', b"NaN")
    among_nan = from_body(unreadable, is_batch=True, measurer=_MEASURER, now=NOW).events[0]
    assert alone.digest == beside.digest == among_nan.digest


def headers(**changes: str) -> dict[str, str]:
    found = {
        "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "urn:gateway", "ce-type": "ai.completed",
        "ce-subject": "alpha", "ce-time": "2026-11-20T10:00:00Z", "content-type": "application/json",
    }  # fmt: skip
    return found | {f"ce-{name}": value for name, value in changes.items()}


def test_binary_mode_says_the_same_as_structured_mode() -> None:
    content = json.dumps(sent()["data"]).encode()
    (event,) = from_headers(headers(), content, _MEASURER, NOW).events
    assert event == taken(sent()).events[0]
    (exact,) = from_headers(headers(), b'{"tokens":{"total":0.1}}', _MEASURER, NOW).events
    assert exact.readings[0].quantity == Decimal("0.1")
    (quoted,) = from_headers(headers(source="urn:%C3%BC"), content, _MEASURER, NOW).events
    assert quoted.source == "urn:ü"


@pytest.mark.parametrize(
    ("given_headers", "content", "expected"),
    [
        (headers(source="%FF"), b"{}", "ce-source: is not percent-encoded UTF-8"),
        (headers(source="x" * 5000), b"{}", "ce-source: is longer than"),
        (headers(time="yesterday"), b"{}", "time: `yesterday` is not a time"),
        (headers(), b"{", "is not JSON"),
        (headers(), b"", "data.tokens.total: is missing"),
        (headers() | {"content-type": "text/plain"}, b"{}", "datacontenttype: only JSON is read"),
    ],
)
def test_binary_mode_tells_its_faults(given_headers: dict[str, str], content: bytes, expected: str) -> None:
    delivery = from_headers(given_headers, content, _MEASURER, NOW)
    assert delivery.refused == 1
    assert expected in str(delivery.faults[0])


def from_file(content: bytes) -> Delivery:
    parts = list(event_files.deliveries(BytesIO(content), _MEASURER, NOW))
    return Delivery(
        tuple(event for part in parts for event in part.events),
        tuple(each for part in parts for each in part.aside),
        tuple(each for part in parts for each in part.faults),
        sum(part.refused for part in parts),
    )


@pytest.mark.parametrize(
    "content",
    [
        body(sent(1), sent(2)),
        json.dumps([sent(1), sent(2)], indent=2).encode(),
        lines(sent(1), sent(2)),
        b"\xef\xbb\xbf" + lines(sent(1), sent(2)),
        b"\n\n" + lines(sent(1)) + b"\r\n \n" + lines(sent(2)).rstrip(),
        json.dumps(sent(1)).encode() + b"\r\n" + json.dumps(sent(2)).encode() + b"\r\n",
    ],
)
def test_files_may_be_a_list_or_one_event_a_line(content: bytes) -> None:
    delivery = from_file(content)
    assert ([event.id for event in delivery.events], delivery.refused) == (["e1", "e2"], 0)


def test_a_file_may_be_one_event_as_people_write_it() -> None:
    assert len(from_file(json.dumps(sent(1), indent=2).encode()).events) == 1
    assert len(from_file(json.dumps(sent(1)).encode()).events) == 1


def test_a_bad_line_is_told_by_its_number_and_the_others_are_read() -> None:
    content = lines(sent(1)) + b"{oops\n" + b"\n" + lines(tokens(2, -1)) + b"x" * 3_000_000 + b"\n" + lines(sent(3))
    delivery = from_file(content)
    assert [event.id for event in delivery.events] == ["e1", "e3"]
    assert [fault.place for fault in delivery.faults] == ["line 2", "line 4", "line 5"]
    assert "is longer than 1,048,576 bytes" in delivery.faults[2].reason


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x1f\x8b\x08\x00", "is packed with gzip: unpack it first"),
        (b"PK\x03\x04", "is packed with zip"),
        (b"[" + b" " * (21 * 1024 * 1024), "is one JSON document of more than 20 MiB"),
        (b"[{]", "is not JSON"),
        (b"\x00" * 100, "is not JSON"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_way_out(content: bytes, reason: str) -> None:
    delivery = from_file(content)
    assert delivery.refused >= 1
    assert reason in delivery.faults[0].reason


def test_a_long_file_comes_in_parts() -> None:
    content = lines(*[sent(number) for number in range(event_files.PART + 1)])
    parts = list(event_files.deliveries(BytesIO(content), _MEASURER, NOW))
    assert [len(part.events) for part in parts] == [event_files.PART, 1]
    assert list(event_files.deliveries(BytesIO(b"\n \n"), _MEASURER, NOW)) == []


@given(st.binary(max_size=200))
def test_any_bytes_are_answered_and_never_raise(content: bytes) -> None:
    from_body(content, is_batch=True, measurer=_MEASURER, now=NOW)
    from_body(content, is_batch=False, measurer=_MEASURER, now=NOW)
    list(event_files.deliveries(BytesIO(content), _MEASURER, NOW))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "subject", "time", "data", "traceparent"]), _JSON
    )
)
def test_any_json_in_any_attribute_is_answered_and_never_raises(changes: dict[str, Any]) -> None:
    delivery = taken(sent() | changes)
    assert len(delivery.events) + len(delivery.aside) + delivery.refused == 1


def test_clocks_may_run_a_little_ahead_and_senders_far_behind() -> None:
    def at(moment: Any) -> int:
        return taken(sent(time=f"{moment:%Y-%m-%dT%H:%M:%SZ}")).refused

    assert at(NOW + timedelta(minutes=5)) == 0
    assert at(NOW - OLDEST) == 0
    assert deliveries.MAX_EVENTS == 10_000
