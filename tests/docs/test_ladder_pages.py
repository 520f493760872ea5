"""The pages about ladders: their files load, those of the how-to have no mistake, every field and rule is there."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from controlplane.problems import Problem
from controlplane.specfile import SourceFile, read
from finops.flags import declared as flag_reading
from finops.flags import spec as flag_spec
from finops.flags.declared import declared as stores_of
from finops.ladder import spec as ladder_spec
from finops.ladder.declared import declared as ladders_of
from finops.ladder.lint import blinding, conditions, explaining, flags, reachability, references, safeguards, savings
from flyball.kinds import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs"
LADDER, STORE = (DOCS / "reference/ladder.md").read_text(), (DOCS / "reference/flag-store.md").read_text()
GUIDE = (DOCS / "how-to/write-a-ladder.md").read_text()
BLOCK = re.compile(r"```yaml ?(\S*)\n(.*?)```", re.DOTALL)
FILES = {name: text for name, text in BLOCK.findall(GUIDE) if name}


def problems_of(files: dict[str, str], *, is_whole: bool) -> list[Problem]:
    """What is wrong with files; what they refer to may stand elsewhere unless they are the whole workspace."""
    result = read([SourceFile(name, text.encode()) for name, text in files.items()], KINDS)
    stores = stores_of(result.documents)
    slos: frozenset[str] | None = frozenset() if is_whole else None
    ladders = ladders_of(result.documents, slos=slos, may_be_declared=lambda _: not is_whole)
    return [*result.problems, *stores.problems, *ladders.problems]


def test_the_files_of_the_how_to_have_no_mistake() -> None:
    assert list(FILES) == ["money.yaml", "core-flow.yaml", "flags.yaml", "ladder.yaml"]
    assert problems_of(FILES, is_whole=True) == []


def test_what_the_how_to_adds_fits_into_its_file() -> None:
    parts = [text for name, text in BLOCK.findall(GUIDE) if not name]
    assert len(parts) == 2
    text = FILES["ladder.yaml"].replace("  emergency:", "".join(parts) + "  emergency:")
    text = text.replace("    - {name: pods-", "    - {name: cost-per-call, unitCost: calls}\n    - {name: pods-")
    assert problems_of({**FILES, "ladder.yaml": text}, is_whole=False) == []


@pytest.mark.parametrize("page", [LADDER, STORE], ids=["ladder", "flag-store"])
def test_the_file_of_the_reference_loads(page: str) -> None:
    (text,) = (text for _, text in BLOCK.findall(page))
    assert problems_of({"page.yaml": text}, is_whole=False) == []


@pytest.mark.parametrize(("module", "page"), [(ladder_spec, LADDER), (flag_spec, STORE)], ids=["ladder", "flag-store"])
def test_every_field_is_on_its_page(module: object, page: str) -> None:
    parts = [part for part in vars(module).values() if isinstance(part, type) and issubclass(part, BaseModel)]
    own = [part for part in parts if part.__module__ == module.__name__]  # type: ignore[attr-defined]
    shown = {name for part in own for name in part.model_json_schema().get("properties", {})}
    assert len(shown) > 15
    general = {"apiVersion", "kind", "metadata", "spec", "labels", "annotations", "displayName", "name"}
    assert [name for name in sorted(shown - general) if not re.search(rf"\b{name}\b", page)] == []


def test_every_rule_is_on_the_page() -> None:
    modules = (blinding, conditions, explaining, flags, reachability, references, safeguards, savings)
    rules = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith("ladder-")
    }
    assert len(rules) == 15
    assert set(re.findall(r"^### (ladder-\S+)", LADDER, re.MULTILINE)) == rules
    assert flag_reading.RULE == "flag-store"
