"""The distinct tag sets of a period, read once each."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from finops.billed.adapters.session import Session
from finops.billed.normalising.reading import text
from finops.billed.normalising.tag_text import tags_in


def write_tags(session: Session, target: Path, scratch: Path, aliases: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Make the table `tag_sets` of all that `daily` has, and write it; what is wrong: (fault, raw text, rows)."""
    distinct = session.run("SELECT tags, sum(rows) FROM daily WHERE tags IS NOT NULL GROUP BY 1 ORDER BY 1")
    faults: list[tuple[str, str, int]] = []
    with scratch.open("wb") as file:
        for number, (raw, rows) in enumerate(distinct):
            read = tags_in(raw, aliases)
            for fault, holds in (
                ("tags-unreadable", read.values is None),
                ("tag-key-spaced", read.spaced),
                ("tag-conflict", read.conflicting),
            ):
                if holds:
                    faults.append((fault, raw, int(rows)))
            file.write(orjson.dumps({"id": number, "raw": raw, "tags": dict(read.values or {})}) + b"\n")
    session.run("CREATE TEMP TABLE tag_sets (id INTEGER, raw VARCHAR, tags MAP(VARCHAR, VARCHAR))")
    if distinct:
        session.run(
            "INSERT INTO tag_sets SELECT id, raw, tags FROM read_json(?, format = 'newline_delimited', columns = "
            "{id: 'INTEGER', raw: 'VARCHAR', tags: 'MAP(VARCHAR, VARCHAR)'}, maximum_object_size = 268435456)",
            [str(scratch)],
        )
    session.run(f"COPY (SELECT * FROM tag_sets ORDER BY id) TO {text(str(target))} (FORMAT parquet)")
    scratch.unlink()
    return faults
