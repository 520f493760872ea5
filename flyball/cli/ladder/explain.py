"""`flyball ladder explain`: why a ladder stays where it is, or moves."""

from pathlib import Path

from flyball.cli.ladder.opening import AsJSON, Database, Folder, Name, now, opened, printed, target_or_exit


def explain(name: Name, folder: Folder = Path(), database: Database = "", as_json: AsJSON = False) -> None:
    """Say why a ladder stays where it is, or moves: each comparison with its value, threshold and samples in a row,
    what signals would be without the tier in force, brakes, and what holds it back.

    It tells what was read and decided last by the replica that leads; when that was is said.

    Exit status: 0, 1 when files have mistakes or there is no such ladder, 3 when the database failed.

    \b
    Examples:
      flyball ladder explain intelgraph
      flyball ladder explain intelgraph examples/intelgraph --json | jq '.notes[].text'
    """
    from finops.ladder.explanation import explained
    from finops.ladder.explanation_views import explain_data, explain_text
    from finops.ladder.standing import standing

    with opened(folder, database) as store:
        target = target_or_exit(store, folder, name)
        with store.transaction(read_only=True) as transaction:
            told = explained(standing(transaction.ladders, name, target.ladder, now()))
    printed(explain_data(told), explain_text(told), as_json=as_json)
