"""`flyball audit`, on a database as the control plane leaves it."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controlplane.store import migrate, open_store
from flyball.cli import ExitCode, app, commands

assert commands  # registers the commands

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with three audit entries."""
    file = tmp_path / "state.db"
    migrate(f"sqlite:///{file}")
    store = open_store(f"sqlite:///{file}")
    with store.transaction() as transaction:
        for tier in range(3):
            transaction.audit.append(at=NOW, actor="ladder", action="set", subject="tier", detail={"to": tier})
    store.close()
    return file


def test_an_intact_log_is_told_with_its_last_hash(database: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "verify", "--database", f"sqlite:///{database}"])
    assert result.exit_code == ExitCode.OK
    with closing(sqlite3.connect(database)) as connection:
        (last_hash,) = connection.execute("SELECT hash FROM audit WHERE sequence = 3").fetchone()
    assert result.stdout == f"intact: 3 entries, last hash {last_hash}\n"


def test_the_first_broken_entry_is_named_and_the_command_fails(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE audit SET actor = 'nobody' WHERE sequence = 2")
        connection.commit()
    arguments = ["audit", "verify", "--database", f"sqlite:///{database}"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == ExitCode.PROBLEMS
    assert result.stdout.startswith("broken at entry 2: ")
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (told["intact"], told["broken_at"], told["entries"]) == (False, 2, 3)


def test_a_chain_that_was_rewritten_as_a_whole_is_not_the_one_that_was_noted(database: Path) -> None:
    def verified(noted: str) -> tuple[int, str]:
        arguments = ["audit", "verify", "--database", f"sqlite:///{database}", "--noted", noted]
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, result.stdout[:17]

    with closing(sqlite3.connect(database)) as connection:
        hashes = [row[0] for row in connection.execute("SELECT hash FROM audit ORDER BY sequence")]
        assert verified(f"3:{hashes[2]}") == verified(f"2:{hashes[1]}") == (ExitCode.OK, "intact: 3 entries")
        assert verified(f"2:{hashes[2]}") == (ExitCode.PROBLEMS, "broken at entry 2")
        connection.execute("DELETE FROM audit WHERE sequence = 3")  # by somebody who knows how the chain is made
        connection.execute("UPDATE audit_head SET entries = 2, hash = ?", (hashes[1],))
        connection.commit()
    assert verified(f"3:{hashes[2]}") == (ExitCode.PROBLEMS, "broken at entry 3")
    assert verified("3") == (2, "")


def test_the_workspace_says_which_database(database: Path, tmp_path: Path) -> None:
    environment = {"FLYBALL_DATABASE_URL": f"sqlite:///{database}"}
    result = CliRunner().invoke(app, ["audit", "verify", str(tmp_path), "--json"], env=environment)
    assert json.loads(result.stdout)["entries"] == 3


def test_the_latest_entries_are_listed_for_people_and_for_programs(database: Path) -> None:
    def listed(*options: str) -> list[str]:
        arguments = ["audit", "list", "--database", f"sqlite:///{database}", *options]
        return CliRunner().invoke(app, arguments).stdout.splitlines()

    assert listed() == ["2026-03-01T00:00:00Z  ladder  set  tier"] * 3
    assert [json.loads(line)["detail"] for line in listed("--json", "--limit", "2")] == [{"to": 1}, {"to": 2}]


def test_a_database_that_is_not_there_is_the_outside_at_fault(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    result = CliRunner().invoke(app, ["audit", "verify", "--database", f"sqlite:///{missing}"])
    assert result.exit_code == ExitCode.OUTSIDE
    assert "it has not been migrated" in result.stderr
    assert not missing.exists()
