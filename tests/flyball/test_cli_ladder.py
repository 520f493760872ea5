"""`flyball ladder`: what it prints and leaves in the database, and its exit status. A thread of the test leads."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controlplane.model.ladder import (
    AppliedTier,
    FlagChange,
    LadderOrder,
    LadderState,
    OrderKind,
    StepCause,
    StepOutcome,
    StepPhase,
    StepRecord,
)
from controlplane.store import SqlStore, migrate, open_store
from flyball.cli import ExitCode
from flyball.cli.ladder import app
from flyball.cli.ladder.opening import login_name
from flyball.leadership import LEASE_NAME
from tests.contracts.storing import until
from tests.synthetics.journeys.pages import serving

_LADDER = """\
apiVersion: flyball.dev/v1
kind: Ladder
metadata: {name: shop}
spec:
  mode: enforce
  flagStore: platform
  currency: USD
  signals: [{name: queue, query: max(queue_length)}]
  tiers:
    - name: observe
      flags: {adaptive-sampling: true}
      saving: 1
      enter: {any: {queue: 2}}
      exit: {all: {queue: 1}}
      journeys: [core-flow]
    - name: protect
      flags: {new-tenants-blocked: true}
      saving: 4
      approval: required
      enter: {any: {queue: 4}}
      exit: {all: {queue: 2}}
      journeys: [core-flow]
---
apiVersion: flyball.dev/v1
kind: FlagStore
metadata: {name: platform, annotations: {flyball.dev/owner: platform-team}}
spec:
  flagd: {file: flags.json}
  flags: [{name: adaptive-sampling}, {name: new-tenants-blocked}]
---
apiVersion: flyball.dev/v1
kind: Journey
metadata: {name: core-flow}
spec:
  interval: 1m
  timeout: 20s
  steps: [{name: look, http: {url: "URL/sign-in"}}]
"""
_OFF = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
_WHY = ("--why", "INC-812")


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("ladder") / "state.db"
    migrate(f"sqlite:///{file}")
    return file.read_bytes()


class Shop:
    """A workspace with a ladder of two tiers, and its database."""

    def __init__(self, folder: Path, database: bytes) -> None:
        self.folder = folder
        (folder / "state.db").write_bytes(database)
        self.url = f"sqlite:///{folder}/state.db"
        self.store = open_store(self.url)
        self.write(_LADDER.replace("URL", "http://127.0.0.1:1"))

    def write(self, text: str) -> None:
        (self.folder / "ladder.yaml").write_text(text)

    def run(self, command: str, *arguments: str) -> tuple[int, str]:
        """Exit status and output, ids as ID."""
        words = [command, *arguments, "--database", self.url]
        result = CliRunner().invoke(app, words)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, re.sub(r"\b[0-9a-f]{12}\b", "ID", result.output)

    def data(self, command: str, *arguments: str) -> Any:
        result = CliRunner().invoke(app, [command, *arguments, "--database", self.url, "--json"])
        assert result.exit_code == ExitCode.OK, result.output
        return json.loads(result.stdout)

    def here(self, command: str, *arguments: str) -> tuple[int, str]:
        """The same for a command that is told the ladder and the workspace."""
        return self.run(command, "shop", str(self.folder), *arguments)

    def audited(self) -> list[tuple[str, str]]:
        with self.store.transaction(read_only=True) as transaction:
            assert transaction.audit.verify() is None
            return [(entry.action, entry.actor) for entry in transaction.audit.entries()]

    def stands(self, tier: int, theirs: dict[str, bool | int | str] | None = None) -> None:
        applied = tuple(AppliedTier(number, _now(), f"s{number}", ()) for number in range(1, tier + 1))
        with self.store.transaction() as transaction:
            transaction.ladders.put_state(LadderState("shop", applied, {}, _now(), "platform", theirs))


@pytest.fixture
def shop(tmp_path: Path, empty_database: bytes) -> Iterator[Shop]:
    found = Shop(tmp_path, empty_database)
    yield found
    found.store.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _carry_out(store: SqlStore, order: LadderOrder, outcome: StepOutcome) -> None:
    """What a leader does, without flags: a step with all its phases, then the order's end."""
    step = StepRecord(
        "s1", order.ladder, "platform", 0, order.argument or 0, StepCause.PERSON, order.why, order.by, order.at,
        StepPhase.INTENT, (FlagChange(1, "adaptive-sampling", None, True),), ("core-flow",), order=order.id,
    )  # fmt: skip
    done = replace(
        step, phase=StepPhase.ENDED, written_at=order.at, visible_at=order.at, verified_at=order.at, ended_at=order.at,
        outcome=outcome, detail="" if outcome is StepOutcome.COMMITTED else "journey core-flow failed",
    )  # fmt: skip
    for change in (step, done):
        with store.transaction() as transaction:
            transaction.ladders.put_step(change)
    with store.transaction() as transaction:
        is_well = outcome is StepOutcome.COMMITTED
        result = "it is at tier 1" if is_well else "the step was undone"
        transaction.ladders.put_order(
            replace(order, begun_at=order.at, done_at=order.at, is_done_well=is_well, result=result)
        )


@contextmanager
def leading(shop: Shop, outcome: StepOutcome = StepOutcome.COMMITTED) -> Iterator[list[LadderOrder]]:
    """Somebody leads and carries out one order."""
    store, seen = open_store(shop.url), list[LadderOrder]()
    store.leases.acquire(LEASE_NAME, "tester", timedelta(minutes=5))

    def waiting() -> list[LadderOrder]:
        with store.transaction(read_only=True) as transaction:
            return transaction.ladders.open_orders("shop")

    def lead() -> None:
        seen.extend(until(waiting))
        _carry_out(store, seen[0], outcome)

    thread = threading.Thread(target=lead)
    thread.start()
    yield seen
    thread.join()
    store.close()


def test_a_step_is_ordered_followed_to_its_end_and_audited(shop: Shop) -> None:
    with leading(shop) as seen:
        code, output = shop.here("step", "--to", "1", *_WHY, "--by", "ann")
    assert code == ExitCode.OK
    assert [(order.kind, order.argument, order.by) for order in seen] == [(OrderKind.STEP, 1, "ann")]
    assert re.sub(r"\d\d:\d\d:\d\d", "TIME", output) == (
        "TIME  intent     tier 0 → 1, 1 flag: INC-812\n"
        "TIME  written    read back as written\n"
        "TIME  visible    clients see it\n"
        "TIME  verified   green: core-flow\n"
        "TIME  committed  tier 0 → 1\n"
        "it is at tier 1\n"
    )
    assert shop.audited() == [("ladder.step_ordered", "ann")]


def test_a_step_that_was_undone_is_told_and_fails(shop: Shop) -> None:
    with leading(shop, StepOutcome.UNDONE):
        code, output = shop.here("drill", "--to", "1", *_WHY, "--yes")
    assert code == ExitCode.PROBLEMS
    assert "undoing    journey core-flow failed\n" in output
    assert output.endswith("undone     tier 0 → 1\nthe step was undone\n")


def test_where_nobody_leads_an_order_is_withdrawn_so_that_it_surprises_nobody(shop: Shop) -> None:
    code, output = shop.here("step", "--to", "1", *_WHY, "--timeout", "1s")
    assert code == ExitCode.OUTSIDE
    assert "nobody leads, so nothing was done, and the order is withdrawn: start `flyball up`" in output
    assert [action for action, _ in shop.audited()] == ["ladder.step_ordered", "ladder.order_withdrawn"]
    made = shop.data("step", "shop", str(shop.folder), "--to", "1", *_WHY, "--no-wait")
    assert (made["to"], made["by"], made["done_at"]) == (1, login_name(), None)
    assert shop.run("step", "--withdraw", made["order"], "--why", "no")[0] == ExitCode.OK


def test_approvals_have_a_tier_a_reason_and_an_end(shop: Shop) -> None:
    code, output = shop.here("step", "--to", "2", *_WHY)
    assert (code, "tier 2 needs an approval" in output) == (ExitCode.PROBLEMS, True)
    made = shop.data("approve", "shop", str(shop.folder), "--tier", "2", *_WHY, "--for", "2h", "--by", "bob")
    assert (made["tier"], made["scope"], made["by"], made["why"]) == (2, "step", "bob", "INC-812")
    assert datetime.fromisoformat(made["until"]) - datetime.fromisoformat(made["at"]) == timedelta(hours=2)
    assert shop.run("approve", "--withdraw", made["approval"], "--why", "over") == (
        ExitCode.OK, "Withdrawn: approval ID of tier 2\n",
    )  # fmt: skip
    assert [action for action, _ in shop.audited()] == ["ladder.approved", "ladder.approval_withdrawn"]


MISTAKES = {
    "why": (("approve", "--tier", "2"), 2, "say why"),
    "tier": (("approve", "--tier", "7", *_WHY), 1, "shop has no tier 7: its tiers are 1 to 2"),
    "no tier": (("step", *_WHY), 2, "say which tier"),
    "past": (("hold", *_WHY, "--until", "2020-01-01T00:00Z"), 2, "is over"),
    "zone": (("hold", *_WHY, "--until", "2030-01-01T00:00"), 2, "has no time zone"),
    "no time": (("hold", *_WHY, "--until", "soon"), 2, "is no time"),
    "length": (("hold", *_WHY, "--for", "2 hours"), 2, "is no length"),
    "both": (("hold", *_WHY, "--for", "2h", "--until", "2030-01-01T00:00Z"), 2, "one of --for and --until"),
    "too long": (("approve", "--tier", "1", *_WHY, "--for", "25h"), 1, "at most 1 d"),
    "two scopes": (("approve", "--tier", "2", *_WHY, "--jump", "--extend"), 2, "one of --jump and --extend"),
    "no emergency": (("approve", "--tier", "2", *_WHY, "--jump"), 1, "it declares no emergency"),
    "not held": (("resume",), 1, "nothing holds shop"),
    "two ends": (("resume", "--keep-theirs", "--take-back"), 2, "one of --keep-theirs and --take-back"),
    "unasked drill": (("drill", "--to", "1", *_WHY), 2, "say --yes, or --dry-run"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_and_changes_nothing(shop: Shop, case: str) -> None:
    (command, *rest), code, what = MISTAKES[case]
    found, output = shop.here(command, *rest)
    assert (found, what in " ".join(re.sub("[│╭╮╰╯─]", " ", output).split())) == (code, True), output
    assert shop.audited() == []


def test_a_ladder_that_there_is_not_is_told_with_the_one_that_was_meant(shop: Shop) -> None:
    for command in (("status",), ("explain",), ("hold", *_WHY), ("step", "--to", "1", *_WHY)):
        code, output = shop.run(command[0], "shp", str(shop.folder), *command[1:])
        assert (code, output) == (ExitCode.PROBLEMS, "no Ladder is named `shp`: did you mean `shop`?\n")


def test_a_hold_is_seen_in_status_and_lifted(shop: Shop) -> None:
    assert shop.here("hold", *_WHY, "--by", "ann")[1] == (
        "shop is held until it is resumed: flyball ladder resume shop lifts that\n"
    )
    (status,) = shop.data("status", "shop", str(shop.folder))["ladders"]
    assert (status["hold"]["by"], status["mode"], status["tier"]) == ("ann", "enforce", 0)
    assert "- ann holds it until it is resumed: INC-812" in shop.here("explain")[1]
    assert shop.here("resume") == (ExitCode.OK, "shop is held no more by ann\n")
    assert shop.audited() == [("ladder.held", "ann"), ("ladder.resumed", login_name())]
    assert "not judged yet" in shop.here("explain")[1]


def test_service_comes_back_and_is_held_although_files_are_broken(shop: Shop) -> None:
    shop.stands(2, {"adaptive-sampling": True})
    shop.write("kind: [")
    assert shop.here("hold", *_WHY)[0] == ExitCode.OK
    assert shop.here("step", "--to", "0", *_WHY)[0] == ExitCode.PROBLEMS
    with leading(shop) as seen:
        assert shop.here("resume", "--take-back")[0] == ExitCode.OK
    assert seen[0].kind is OrderKind.TAKE_BACK


def test_a_rehearsal_reads_flags_and_walks_journeys_and_writes_nothing(shop: Shop) -> None:
    flags = shop.folder / "flags.json"
    flags.write_text(json.dumps({"flags": {"adaptive-sampling": _OFF, "new-tenants-blocked": _OFF}}))
    before = flags.read_bytes()
    with serving() as platform:
        shop.write(_LADDER.replace("URL", platform.url))
        code, output = shop.here("drill", "--to", "2", "--dry-run")
    assert "  1     adaptive-sampling    false  true\n" in output
    assert output.endswith("Flags and journeys are ready for a drill up to tier 2 now.\n")
    assert (flags.read_bytes(), shop.audited(), code) == (before, [], ExitCode.OK)
    flags.write_text(json.dumps({"flags": {"adaptive-sampling": _OFF}}))
    code, output = shop.here("drill", "--to", "2", "--dry-run")
    assert (code, "new-tenants-blocked" in output.partition("In the way")[2]) == (ExitCode.PROBLEMS, True)
    assert "journey core-flow: " in output
