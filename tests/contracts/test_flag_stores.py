"""What every flag store does, and that it can what it says it can. Unleash is a real server."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from controlplane.model.ladder import FlagValue
from controlplane.ports import Permanent
from finops.flags.adapters.unleash import Unleash
from finops.flags.model import DeclaredFlag, FlagState, FlagWrite, WriteNote
from finops.flags.ports import Conflict
from tests.contracts.flag_benches import (
    PERSON,
    Bench,
    declared,
    flagd_bench,
    launchdarkly_bench,
    memory_bench,
    ofrep_bench,
    opened_unleash,
    unleash_bench,
    webhook_bench,
)
from tests.finops.flags.serving import Reply, Request, serving
from tests.finops.flags.unleash_server import ENVIRONMENT, PROJECT, TOKEN, UnleashServer

WRITTEN = ["memory", "flagd", "webhook", "launchdarkly", "unleash"]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SOME_GET_IT = {"name": "flexibleRollout", "parameters": {"rollout": "20", "stickiness": "default", "groupId": "g"}}
NOTE = WriteNote("flyball", "too much is spent", "w1")


@pytest.fixture(params=WRITTEN)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with the_bench(str(request.param), request, tmp_path) as found:
        yield found


@pytest.fixture(params=[*WRITTEN, "ofrep"])
def read_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    with the_bench(str(request.param), request, tmp_path) as found:
        yield found


def the_bench(name: str, request: pytest.FixtureRequest, folder: Path) -> AbstractContextManager[Bench]:
    if name == "unleash":
        return unleash_bench(request.getfixturevalue("unleash_server"))
    if name in ("flagd", "ofrep"):
        return flagd_bench(folder) if name == "flagd" else ofrep_bench(folder)
    return {"memory": memory_bench, "webhook": webhook_bench, "launchdarkly": launchdarkly_bench}[name]()


def seen(bench: Bench, flag: DeclaredFlag) -> FlagState:
    return bench.opened.store.read([flag])[flag.name]


def values(bench: Bench, *flags: DeclaredFlag) -> list[FlagValue | None]:
    return [bench.opened.store.read(flags)[flag.name].value for flag in flags]


def wait_for_clients(bench: Bench, wanted: dict[str, FlagValue | None], flags: list[DeclaredFlag]) -> None:
    """Until they see it; the store said by when they do, and a busy machine gets ten times that."""
    until = time.monotonic() + 10 * max(bench.opened.store.capabilities.visible_within.total_seconds(), 1)
    while (got := dict(bench.opened.client.values(flags))) != wanted:
        assert time.monotonic() < until, f"{got} is not {wanted}"
        time.sleep(0.02)


def test_flags_of_every_type_read_as_their_store_has_them_and_one_that_it_lacks_is_absent(read_bench: Bench) -> None:
    flags = [
        read_bench.flag("on", True, False),
        read_bench.flag("off", False, True),
        read_bench.flag("many", 5, 7),
        read_bench.flag("text", "1.0", "0.1"),
        declared(f"{read_bench.prefix}-nowhere"),
    ]
    assert values(read_bench, *flags) == [True, False, 5, "1.0", None]
    wanted = {flag.name: value for flag, value in zip(flags, [True, False, 5, "1.0", None], strict=True)}
    wait_for_clients(read_bench, wanted, flags)


def test_what_is_written_is_read_back_and_seen_by_clients(bench: Bench) -> None:
    flags = [bench.flag("switch", False, True), bench.flag("many", 5, 7), bench.flag("text", "1.0", "0.1")]
    bystander = bench.flag("other", False, True)
    state = bench.opened.store.read(flags)
    wanted: list[FlagValue] = [True, 7, "0.1"]
    writes = [FlagWrite(state[flag.name], value) for flag, value in zip(flags, wanted, strict=True)]
    bench.opened.store.write(writes, NOTE)
    assert values(bench, *flags, bystander) == [*wanted, False]
    wait_for_clients(bench, {flag.name: value for flag, value in zip(flags, wanted, strict=True)}, flags)
    after = bench.opened.store.read(flags)
    bench.opened.store.write([FlagWrite(after[flag.name], state[flag.name].value or False) for flag in flags], NOTE)
    assert values(bench, *flags) == [False, 5, "1.0"]


def test_a_write_on_a_stale_view_conflicts_and_leaves_the_persons_edit_and_the_rest_of_its_set(bench: Bench) -> None:
    first, second = bench.flag("first", False, True), bench.flag("second", "a", "b", "c")
    state = bench.opened.store.read([first, second])
    bench.edit(second.name, "b")
    with pytest.raises(Conflict, match=second.name) as conflict:
        bench.opened.store.write([FlagWrite(state[first.name], True), FlagWrite(state[second.name], "c")], NOTE)
    assert conflict.value.flags == (second.name,)
    assert values(bench, first, second) == [False, "b"]


def test_a_set_with_a_flag_that_cannot_be_written_changes_nothing_and_names_it(bench: Bench) -> None:
    first, second = bench.flag("first", False, True), bench.flag("second", "a", "b")
    state = bench.opened.store.read([first, second])
    nowhere = FlagState(f"{bench.prefix}-nowhere", None)
    for write in (FlagWrite(nowhere, True), FlagWrite(state[second.name], "no such value")):
        if write.seen is not nowhere and bench.takes_any_value:
            continue
        with pytest.raises(Permanent, match=write.seen.flag):
            bench.opened.store.write([FlagWrite(state[first.name], True), write], NOTE)
        assert values(bench, first, second) == [False, "a"]


def test_a_repeated_write_is_one_write(bench: Bench) -> None:
    flag = bench.flag("switch", False, True)
    before = seen(bench, flag)
    bench.opened.store.write([FlagWrite(before, True)], NOTE)
    once = seen(bench, flag)
    bench.opened.store.write([FlagWrite(before, True)], NOTE)
    bench.opened.store.write([], NOTE)
    assert seen(bench, flag) == once
    edits = [edit for edit in bench.opened.store.history(flag.name, LONG_AGO) if edit.is_ours]
    assert len({edit.at for edit in edits}) <= 1


def test_history_tells_whose_edit_it_was_where_a_store_keeps_one(bench: Bench) -> None:
    flag = bench.flag("switch", False, True)
    bench.opened.store.write([FlagWrite(seen(bench, flag), True)], NOTE)
    bench.edit(flag.name, False)
    edits = bench.opened.store.history(flag.name, LONG_AGO)
    if not bench.opened.store.capabilities.has_history:
        assert edits == []
        return
    assert [edit.at for edit in edits] == sorted(edit.at for edit in edits)
    assert (edits[-1].by, edits[-1].is_ours, edits[-1].value) in [(PERSON, False, False), (PERSON, False, None)]
    assert edits[-2].is_ours
    assert edits[-2].by != PERSON
    assert bench.opened.store.history(flag.name, datetime(2100, 1, 1, tzinfo=UTC)) == []


def test_a_store_that_marks_writes_knows_our_last_one_after_a_person_edited_the_flag(bench: Bench) -> None:
    flag, other = bench.flag("switch", False, True), bench.flag("other", False, True)
    assert seen(bench, flag).last_write == ""
    bench.opened.store.write([FlagWrite(seen(bench, flag), True)], NOTE)
    bench.edit(flag.name, False)
    bench.opened.store.write([FlagWrite(seen(bench, other), True)], WriteNote("flyball", "more", "w2"))
    marks = [seen(bench, flag).last_write, seen(bench, other).last_write]
    assert marks == (["w1", "w2"] if bench.opened.store.capabilities.marks_writes else ["", ""])


def test_true_is_not_one(bench: Bench) -> None:
    flag = bench.flag("switch", True, False)
    with pytest.raises(Permanent, match=flag.name):
        bench.opened.store.read([DeclaredFlag(flag.name, declared("", 1).type, 1, "", flag.source)])
    number = bench.flag("number", 1, 0)
    with pytest.raises((Permanent, Conflict)):
        bench.opened.store.write([FlagWrite(seen(bench, number), True)], NOTE)
    assert seen(bench, number).value == 1


def test_uses_say_what_is_known_and_that_a_flag_is_gone(read_bench: Bench) -> None:
    flag = read_bench.flag("switch", False, True)
    nowhere = declared(f"{read_bench.prefix}-nowhere")
    read_bench.opened.client.values([flag])
    use, gone = read_bench.opened.store.uses([flag, nowhere])
    assert (use.flag, use.is_archived, use.note) in [(flag.name, False, ""), (flag.name, False, "active")]
    assert (gone.flag, gone.last_evaluated) == (nowhere.name, None)
    assert gone.note.startswith("not in the ")
    if read_bench.opened.store.capabilities.tells_evaluations:
        assert use.created_at is not None
    else:
        assert use.last_evaluated is None


def test_a_store_that_is_only_read_says_so(tmp_path: Path) -> None:
    with ofrep_bench(tmp_path) as bench:
        flag = bench.flag("switch", False, True)
        assert not bench.opened.store.capabilities.can_write
        with pytest.raises(Permanent, match="only read"):
            bench.opened.store.write([FlagWrite(seen(bench, flag), True)], NOTE)
        assert values(bench, flag) == [False]


# What is particular about Unleash: here, so that one server does for all of it.


@contextmanager
def between(server: UnleashServer, before: Callable[[], None], after: Callable[[], None]) -> Iterator[Unleash]:
    """Our adapter over a proxy that lets something happen right before and after a flag is changed."""

    def passed_on(request: Request) -> Reply:
        is_change = request.method in ("POST", "PUT")
        if is_change:
            before()
        headers = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        answer = httpx.request(request.method, server.url + request.target, content=request.body, headers=headers)
        if is_change:
            after()
        return Reply(answer.status_code, answer.content, {"Content-Type": "application/json"})

    with serving(passed_on) as url:
        yield Unleash(url, project=PROJECT, environment=ENVIRONMENT, token=TOKEN)


def nothing() -> None:
    pass


def test_what_somebody_sets_between_our_look_and_our_write_is_put_back(unleash_server: UnleashServer) -> None:
    unleash_server.serve("race-text", ["full", "low", "theirs"], "full")
    flag = declared("race-text", "full")
    with between(unleash_server, lambda: unleash_server.choose("race-text", "theirs"), nothing) as store:
        before = store.read([flag])["race-text"]
        with pytest.raises(Conflict, match="ann changed race-text"):
            store.write([FlagWrite(before, "low")], NOTE)
        assert store.read([flag])["race-text"].value == "theirs"


def test_somebody_who_turns_a_flag_on_and_off_again_before_us_keeps_it_off(unleash_server: UnleashServer) -> None:
    unleash_server.create("race-switch")
    done: list[bool] = []

    def on_and_off() -> None:
        if not done:
            done.append(True)
            unleash_server.turn("race-switch", on=True)
            unleash_server.turn("race-switch", on=False)

    with between(unleash_server, on_and_off, nothing) as store:
        before = store.read([declared("race-switch")])["race-switch"]
        with pytest.raises(Conflict, match="ann"):
            store.write([FlagWrite(before, True)], NOTE)
    assert not unleash_server.is_on("race-switch")


def test_somebody_who_is_quicker_after_us_has_the_last_word(unleash_server: UnleashServer) -> None:
    unleash_server.create("race-after")
    done: list[bool] = []

    def off() -> None:
        if not done:
            done.append(True)
            unleash_server.turn("race-after", on=False)

    with between(unleash_server, nothing, off) as store:
        before = store.read([declared("race-after")])["race-after"]
        with pytest.raises(Conflict, match="ann"):
            store.write([FlagWrite(before, True)], NOTE)
    assert not unleash_server.is_on("race-after")


def test_a_flag_that_would_be_on_for_some_is_not_turned_on(unleash_server: UnleashServer) -> None:
    unleash_server.create("some")
    unleash_server.add_strategy("some", {**SOME_GET_IT, "constraints": []})
    opening = opened_unleash(unleash_server.url)
    before = opening.store.read([declared("some")])["some"]
    with pytest.raises(Permanent, match="on for some only"):
        opening.store.write([FlagWrite(before, True)], NOTE)
    assert not unleash_server.is_on("some")
    assert opening.store.uses([declared("some")])[0].note == "strategies decide for some"


def test_an_archived_flag_is_not_there_and_use_says_why(unleash_server: UnleashServer) -> None:
    unleash_server.create("old")
    unleash_server.archive("old")
    opening = opened_unleash(unleash_server.url)
    assert opening.store.read([declared("old")])["old"].value is None
    assert opening.store.uses([declared("old")])[0].is_archived
    with pytest.raises(Permanent, match="no flag old"):
        opening.store.write([FlagWrite(opening.store.read([declared("old")])["old"], True)], NOTE)


def test_a_token_that_is_refused_and_a_project_that_is_not_there_are_told(unleash_server: UnleashServer) -> None:
    wrong = Unleash(unleash_server.url, project=PROJECT, environment=ENVIRONMENT, token="*:*.nobody-knows-it")
    with pytest.raises(Permanent, match="refuses our credentials") as told:
        wrong.read([declared("a")])
    assert "nobody-knows-it" not in str(told.value)
    unleash_server.create("somewhere")
    elsewhere = Unleash(unleash_server.url, project=PROJECT, environment="nowhere", token=TOKEN)
    with pytest.raises(Permanent, match="no environment nowhere in Unleash; it has development, production"):
        elsewhere.read([declared("somewhere")])
