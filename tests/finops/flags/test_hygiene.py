"""Which flags are stale."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from controlplane.model.source import SourcePosition
from controlplane.ports import Permanent, Transient
from finops.flags.adapters.memory import MemoryClient, MemoryFlags
from finops.flags.hygiene import Finding, FlagReport, Limits, Seen, examine
from finops.flags.hygiene_views import data, list_text, sunset_text
from finops.flags.looking import failed, look
from finops.flags.model import DeclaredFlag, DeclaredStore, FlagEdit, FlagState, FlagType, FlagUse
from tests.contracts.flag_benches import Clock

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FLAG = DeclaredFlag("f", FlagType.BOOLEAN, False, "team-platform", SourcePosition("flags.yaml", 1, 1))
STORE = DeclaredStore("platform", "memory", (), (FLAG,), FLAG.source)
USED = {"f": ["shop 3"]}


def seen(value: bool | None = False, *, edited: datetime | None = NOW, **use: Any) -> Seen:
    edits = [FlagEdit("f", edited, "ann")] if edited else []
    return Seen(
        {"f": FlagState("f", value)},
        {"f": FlagUse("f", **{"last_evaluated": NOW, "created_at": NOW - 400 * DAY, **use})},
        {"f": edits},
        tells_evaluations=True,
    )


def report(now_seen: Seen, used_by: dict[str, list[str]] | None = None, **changes: Any) -> FlagReport:
    store = replace(STORE, flags=(replace(FLAG, **changes),))
    return examine(store, now_seen, USED if used_by is None else used_by, now=NOW, limits=Limits())[0]


def findings(*arguments: Any, **changes: Any) -> list[Finding]:
    return list(report(*arguments, **changes).findings)


def test_a_flag_that_a_ladder_sets_and_applications_ask_for_is_not_stale_however_long_it_is_normal() -> None:
    assert findings(seen(edited=None)) == []


@pytest.mark.parametrize(
    ("last", "created", "tells", "unused"),
    [
        (NOW - 30 * DAY, None, True, False),
        (NOW - 30 * DAY - timedelta(seconds=1), None, True, True),
        (None, NOW - 31 * DAY, True, True),
        (None, NOW - 29 * DAY, True, False),
        (None, NOW - 31 * DAY, False, False),
        (None, None, True, False),
    ],
    ids=["just", "longer", "never", "new", "not told", "unknown"],
)
def test_unused_is_what_nobody_asked_for_since_the_limit_and_what_is_not_told_is_no_finding(
    last: datetime | None, created: datetime | None, tells: bool, unused: bool
) -> None:
    now_seen = replace(seen(last_evaluated=last, created_at=created), tells_evaluations=tells)
    assert (Finding.UNUSED in findings(now_seen)) == unused


def test_a_flag_expires_after_the_day_that_it_names() -> None:
    assert findings(seen(), expires=date(2026, 11, 30)) == []
    assert findings(seen(), expires=date(2026, 11, 29)) == [Finding.EXPIRED]


def test_missing_and_archived_are_told_apart_and_hide_what_follows_from_them() -> None:
    assert findings(seen(None, last_evaluated=None)) == [Finding.MISSING]
    assert findings(seen(None, is_archived=True, last_evaluated=None)) == [Finding.ARCHIVED]


def test_a_flag_that_reduces_service_for_long_was_left_on() -> None:
    assert findings(seen(True)) == []
    assert findings(seen(True, edited=NOW - 91 * DAY)) == [Finding.LEFT_ON]
    assert findings(seen(True, edited=None, created_at=None)) == []


def test_a_flag_of_no_ladder_with_one_value_for_long_can_be_that_value() -> None:
    assert findings(seen(edited=None), {}) == [Finding.NO_LADDER, Finding.SAME]
    assert findings(seen(), {}) == [Finding.NO_LADDER]


def test_a_store_that_does_not_answer_makes_no_flag_missing() -> None:
    found = report(failed(STORE.flags, "it is down"))
    assert (found.findings, found.fault) == ((), "it is down")
    assert "platform was not to be read: it is down" in sunset_text([found], NOW)
    assert "unknown" in list_text([found], NOW)


def test_tables_are_80_columns_wide_whatever_names_are() -> None:
    long = replace(FLAG, name="n" * 100, owner="o" * 200, expires=date(2026, 1, 1), type=FlagType.STRING, normal="")
    store = replace(STORE, name="s" * 63, flags=(FLAG, long))
    states = {"f": FlagState("f", True), long.name: FlagState(long.name, "v" * 1000)}
    uses = {name: FlagUse(name, NOW - 200 * DAY, NOW - 900 * DAY) for name in states}
    reports = examine(store, Seen(states, uses, {}, tells_evaluations=True), {}, now=NOW, limits=Limits())
    for text in (list_text(reports, NOW), sunset_text(reports, NOW)):
        assert max(len(line) for line in text.splitlines()) <= 80
    found = examine(store, failed(store.flags, "it is down, " * 20), {}, now=NOW, limits=Limits())
    assert max(len(line) for line in sunset_text(found, NOW).splitlines()) <= 80


def test_the_tables_of_a_small_store() -> None:
    stale = replace(FLAG, name="old", expires=date(2026, 6, 30), owner="team-graph")
    store = replace(STORE, flags=(FLAG, stale))
    states = {"f": FlagState("f", False), "old": FlagState("old", True)}
    uses = {"f": FlagUse("f", NOW), "old": FlagUse("old", NOW - 40 * DAY, NOW - 300 * DAY)}
    reports = examine(store, Seen(states, uses, {}, tells_evaluations=True), USED, now=NOW, limits=Limits())
    assert list_text(reports, NOW).splitlines() == [
        "FLAG                          NOW        OWNER            EXPIRES     ASKED FOR",
        "",
        "platform:",
        "f                             false      team-platform    –           today",
        "old                           true*      team-graph       2026-06-30  40 d ago",
    ]
    assert sunset_text(reports, NOW).splitlines() == [
        "platform/old  team-graph",
        "  expired    on 2026-06-30: remove it from the code, or give it a later day",
        "  no ladder  no tier sets it: take it off the allow-list",
        "  unused     40 d ago: no application asks for it: remove it",
        "  left on    true for 300 d: put it back, or make it normal",
        "",
        "1 of 2 flags is stale.",
    ]
    assert sunset_text(reports[:1], NOW) == "No stale flag among 1."
    found: Any = data(reports)
    assert [each["findings"] for each in found] == [[], ["expired", "no ladder", "unused", "left on"]]
    assert found[1]["lastEvaluated"] == "2026-10-21T12:00:00+00:00"


def test_a_look_at_a_store_gathers_values_uses_and_edits() -> None:
    clock = Clock(NOW)
    flags = MemoryFlags({"f": False}, clock)
    flags.edit("f", True, "ann")
    MemoryClient(flags).values([FLAG])
    found = look(flags, [FLAG], NOW - DAY)
    assert (found.states["f"].value, found.uses["f"].last_evaluated) == (True, NOW)
    assert [edit.by for edit in found.edits["f"]] == ["ann"]


class Odd(MemoryFlags):
    """A store that cannot tell of one flag, or of none."""

    def __init__(self, error: Exception, broken: str) -> None:
        super().__init__({"f": False, "g": True}, Clock(NOW))
        self._error, self._broken = error, broken

    def read(self, flags: Sequence[DeclaredFlag]) -> Any:
        if any(flag.name == self._broken for flag in flags):
            raise self._error
        return super().read(flags)


def test_a_flag_that_cannot_be_read_does_not_hide_the_others() -> None:
    flags = [FLAG, replace(FLAG, name="g")]
    found = look(Odd(Permanent("on for some only"), "f"), flags, NOW)
    assert (found.faults, found.states["g"].value) == ({"f": "on for some only"}, True)
    found = look(Odd(Transient("down"), "f"), flags, NOW)
    assert found.faults == {"f": "down", "g": "down"}
