"""An incident as Slack shows it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from slack_sdk.models.blocks import Block

from alerts.model import Link, Snapshot
from alerts.slack import limits
from alerts.slack.message import (
    ACKNOWLEDGE,
    OPEN_PAGE,
    RESOLVE,
    SlackMessage,
    length_of,
    message_of,
    plain_message,
)
from alerts.slack.text import cut, escaped, link, web_url
from controlplane.model.incident import Origin, Priority
from tests.alerts.messages.samples import INCIDENT, a_snapshot, acknowledged, an_alert, resolved, snapshots
from tests.outside.slack import content_problems


def shown(message: SlackMessage) -> str:
    return json.dumps(message.blocks, ensure_ascii=False)


def buttons(message: SlackMessage) -> list[str]:
    blocks: Any = [block for block in message.blocks if block["type"] == "actions"]
    return [element["action_id"] for block in blocks for element in block["elements"]]


def test_a_page_says_what_where_since_when_what_it_costs_and_what_changed() -> None:
    message = message_of(a_snapshot(), with_buttons=True)
    assert message.blocks[0]["text"] == {
        "type": "plain_text",
        "text": "P1 INC-7: graphql-gateway burns its error budget 14× too fast",
        "emoji": False,
    }
    text = shown(message)
    for part in (
        "*Firing for 12 min*", "(03:00 UTC)", "graphql-gateway", "1 firing of 1", "commander ann",
        "18.3 % of the error budget of graphql-availability", "42.5 USD more than expected on llm",
        "48,211 failed operations", "4 min before: graphql-gateway 2.3.1 was deployed (same service, 4 min before)",
        "SLOErrorBudgetBurn slo=graphql-availability: 18.3 % of the 30-day budget is spent",
        "It is gone in 1 h 7 min &amp; counting.",
        "<https://runbooks.example/gateway-outage|Runbook: Gateway outage>",
        "<https://grafana.example/d/slo?var-slo=graphql|Dashboard>",
    ):  # fmt: skip
        assert part in text, part
    assert message.text == "P1 INC-7: graphql-gateway burns its error budget 14× too fast – Firing for 12 min"


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (a_snapshot(), [ACKNOWLEDGE, RESOLVE, OPEN_PAGE]),
        (a_snapshot(acknowledged()), [RESOLVE, OPEN_PAGE]),
        (a_snapshot(resolved()), [OPEN_PAGE]),
        (a_snapshot(page_url=""), [ACKNOWLEDGE, RESOLVE]),
    ],
)
def test_there_are_buttons_for_what_can_still_be_done(snapshot: Snapshot, expected: list[str]) -> None:
    assert buttons(message_of(snapshot, with_buttons=True)) == expected
    assert buttons(plain_message(snapshot, with_buttons=True)) == expected


def test_nobody_is_offered_a_button_that_nobody_hears() -> None:
    assert buttons(message_of(a_snapshot(), with_buttons=False)) == [OPEN_PAGE]


@pytest.mark.parametrize(
    ("snapshot", "state"),
    [
        (a_snapshot(acknowledged()), "🔵 *Acknowledged by ann, firing for 12 min*"),
        (a_snapshot(resolved()), "⚪ *Resolved by ann after 12 min: rolled back*"),
        (a_snapshot(firing_count=0, alert_count=2), "🔴 *Quiet for 0 s*"),
        (a_snapshot(replace(INCIDENT, priority=Priority.P3)), "🟠 *Firing for 12 min*"),
        (a_snapshot(alerts=(), alert_count=0, firing_count=0), "🔴 *Open for 12 min*"),
    ],
)
def test_how_it_stands_is_said_in_a_word_beside_its_mark(snapshot: Snapshot, state: str) -> None:
    assert state in shown(message_of(snapshot, with_buttons=True))


def test_an_exercise_says_so_first() -> None:
    message = message_of(a_snapshot(replace(INCIDENT, origin=Origin.DRILL)), with_buttons=True)
    assert message.text.startswith("EXERCISE P1 INC-7:")
    assert "This is an exercise" in shown(message)


def test_of_many_alerts_some_are_shown_and_the_rest_counted() -> None:
    alerts = tuple(an_alert(number) for number in range(20))
    text = shown(message_of(a_snapshot(alerts=alerts, alert_count=10_000, firing_count=9_000), with_buttons=True))
    assert text.count("• SLOErrorBudgetBurn") == 5
    assert "and 9,995 more" in text
    assert "9,000 firing of 10,000" in text


def test_what_an_alert_says_mentions_nobody_and_links_nowhere() -> None:
    said = "<!channel> <@U1> <https://evil.example|click> @here *x*"
    alert = an_alert(annotations={"summary": said, "description": said})
    text = shown(message_of(a_snapshot(replace(INCIDENT, title=said), alerts=(alert,)), with_buttons=True))
    sections = text[text.index('"section"') :]
    assert "<!channel>" not in sections
    assert "<@U1>" not in sections
    assert "&lt;!channel&gt; &lt;@U1&gt;" in sections
    assert '"verbatim": true' in sections


def test_a_link_is_one_only_if_it_leads_to_the_web_and_nothing_can_end_it_early() -> None:
    assert link("a <b> | c", "https://x.example/?q=<a>|b c") == "<https://x.example/?q=%3Ca%3E%7Cb%20c|a &lt;b&gt; ¦ c>"
    assert link("click", "javascript:alert(1)") == "click"
    assert link("click", "https://x.example/" + "a" * 2000) == "click"
    assert web_url("http://[", 100) == ""
    assert message_of(a_snapshot(runbooks=(Link("x", "ftp://x"),)), with_buttons=True)


def test_text_is_cut_between_characters_and_never_within_an_entity() -> None:
    assert escaped("a" * 10, 5) == "aaaa…"
    assert escaped("a&&&", 9) == "a&amp;…"
    assert escaped("a&b", 7) == "a&amp;b"
    assert cut("🔥🔥🔥", 5) == "🔥🔥…"


def test_slacks_own_sdk_knows_every_block() -> None:
    for snapshot in (a_snapshot(), a_snapshot(acknowledged()), a_snapshot(resolved())):
        for message in (message_of(snapshot, with_buttons=True), plain_message(snapshot, with_buttons=True)):
            for block in message.blocks:
                known = Block.parse(block)
                assert known is not None
                known.validate_json()
                assert known.to_dict() == block


@given(snapshots())
def test_slack_takes_whatever_an_incident_holds(snapshot: Snapshot) -> None:
    for message in (message_of(snapshot, with_buttons=True), plain_message(snapshot, with_buttons=True)):
        assert content_problems({"text": message.text, "blocks": list(message.blocks)}) is None
        assert length_of(message.blocks) <= limits.ALL_BLOCKS
        assert limits.size(message.text) <= limits.FALLBACK_TEXT
