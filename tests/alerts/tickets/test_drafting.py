"""What tickets say."""

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from alerts.tickets import drafting, texts
from alerts.tickets.adapters.wiki_markup import from_markdown
from controlplane.model.event import Event
from controlplane.model.follow_up import Action, ActionState
from tests.alerts.tickets.happenings import FIGURES, NOW

ABOUT = {
    "alert": "SpendSpike", "budget": "platform", "severity": "ticket", "summary": "platform spends [3×](evil) @all",
    "runbook_url": "https://runbooks.example/spend", "fired": "alert.fired:b1b1@x",
}  # fmt: skip
ISSUE = Event(
    "cost.issue:alert.fired:b1b1@x", "cost.issue", "MC-COST platform", datetime(2026, 12, 1, 9, 25, tzinfo=UTC),
    {"code": "MC-COST", "about": ABOUT, **FIGURES},
)  # fmt: skip
ACTION = Action("a1", "i1", "Cap the pool", "ben", date(2026, 12, 15), NOW, "ann")


def test_a_cost_issue_tells_what_who_moved_what_changed_and_links_its_spans() -> None:
    wanted = drafting.of_cost_issue(ISSUE, console_url="https://flyball.example/")
    assert wanted.title == "MC-COST platform SpendSpike +241 USD"
    assert wanted.body == (
        "platform spends \\[3×\\](evil) @\u2060all\n"
        "\n"
        "- Alert: **SpendSpike**, ticket\n"
        "- Budget: [platform](https://flyball.example/money/platform)\n"
        "- Began: 2026-12-01 09:25 UTC\n"
        "- Runbook: [how to go about it](https://runbooks.example/spend)\n"
        "\n"
        "## Figures\n"
        "\n"
        "- **+241 USD**: 120 USD before, 362 USD now\n"
        "- By cause: volume +200 USD, price +41.2 USD\n"
        "  - service=graphql-gateway: +220 USD (20 USD before)\n"
        "\n"
        "## Changed shortly before\n"
        "\n"
        "- 2026-12-01 09:10 UTC: deployment.finished graphql-gateway v1.8.0 \\[skip\\] @\u2060oncall\n"
        "\n"
        "## Spans\n"
        "\n"
        "- [graphql-gateway, 2026-12-01 09:12 UTC](https://traces.example/4bf92f35)\n"
        "- ingest, 2026-12-01 09:13 UTC: trace 00aa11bb\n"
    )


def test_an_issue_that_could_not_be_explained_says_so() -> None:
    bare = replace(ISSUE, data={"code": "MC-COST", "about": ABOUT, "explained": False})
    body = drafting.of_cost_issue(bare).body
    assert "Nothing could be explained: the spend of that time was not known." in body
    assert "Spans" not in body
    assert "- Budget: platform\n" in body


def test_an_explained_change_without_an_alert_names_its_periods() -> None:
    about = {"ledger": "estimated", "from": "2026-11-30T00:00:00+00:00", "to": "2026-12-01T00:00:00+00:00",
             "against": "2026-11-29T00:00:00+00:00", "where": {"service": ["ingest", "api"]}}  # fmt: skip
    body = drafting.of_cost_issue(replace(ISSUE, data={**ISSUE.data, "about": about})).body
    assert "against the same length from 2026-11-29 00:00 UTC" in body
    assert "- Of: service=ingest\\|api (estimated)" in body


def test_an_action_of_an_incident_that_is_not_known_any_more_still_has_its_words() -> None:
    wanted = drafting.of_action(ACTION, None, page_url="")
    assert wanted.title == "an incident: Cap the pool"
    assert "- Due: 2026-12-15\n" in wanted.body


def test_a_dropped_action_is_closed_with_its_reason() -> None:
    dropped = replace(ACTION, state=ActionState.DROPPED, ended_at=NOW, ended_by="ann", why="the service is gone")
    wanted = drafting.of_action(dropped, None, page_url="")
    assert (wanted.is_open, wanted.cause) == (False, "Dropped by ann on 2026-12-01: the service is gone")
    assert wanted.body.endswith("## Closed\n\nDropped by ann on 2026-12-01: the service is gone\n")


def test_a_budgets_alert_is_matched_with_the_ticket_of_its_firing() -> None:
    resolved = Event("alert.resolved:b1b1@x", "alert.resolved", "SpendSpike", NOW, {})
    assert drafting.cost_key_of_alert(resolved) == drafting.cost_key(ISSUE.id)


ODD = st.text("ab1 @#/*_[]()<>|`~\\!{}$&-+=.:'\"\n\t\u202eé/", max_size=120)


@given(ODD)
def test_whatever_people_write_is_text_in_markdown(text: str) -> None:
    shown = texts.plain(text, 300)
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(f"- {shown}\n")
    inline = next((each for each in tokens if each.type == "inline"), None)
    kinds = {child.type for child in (inline.children or [])} if inline else set()
    assert kinds <= {"text", "text_special"}
    flat = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    said = "".join(child.content for child in (inline.children or [])) if inline else ""
    if "&" not in flat:  # entities are read by Markdown; what they stand for is text too
        assert said.replace("\u2060", "") == flat.replace("\u2060", "")


@given(ODD, ODD)
def test_no_line_of_a_ticket_begins_with_a_command_and_nobody_is_mentioned(title: str, summary: str) -> None:
    action = replace(ACTION, title=title, owner=summary or "x")
    body = drafting.of_action(action, None, page_url="").body
    assert not any(line.lstrip().startswith("/") for line in body.splitlines())
    assert not any(before == "@" and (after.isalnum() or after == "_") for before, after in itertools.pairwise(body))


def test_jira_gets_wiki_markup() -> None:
    body = "## Spans\n\n- [a \\[b\\]](https://t.example/1): **now** `x`\n  - deeper {code} !img!\n"
    assert (
        from_markdown(body)
        == "h2. Spans\n\n* [a \\[b\\]|https://t.example/1]: *now* {{x}}\n** deeper \\{code\\} \\!img\\!"
    )
