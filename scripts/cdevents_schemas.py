"""Write what the published JSON Schemas of CDEvents demand as data of ours: exporters/events/cdevents/schemas.json.

    python3 scripts/cdevents_schemas.py CHECKOUT [--check]

CHECKOUT is a clone of github.com/cdevents/spec, or its git directory, with the tags v0.4.0, v0.4.1, v0.5.0, v0.5.1.
Only keywords that validate are kept: titles, descriptions, examples, defaults and ids are left out, references are
followed, and schemas that occur more than once become numbered parts (a text such as `p3` where a schema is expected
stands for the part of that number). What is broken in a release is repaired as its successor did; `REPAIRS` says how.
`--check` writes nothing and says whether the file is what it would write. Standard library only.
"""

import argparse
import json
import posixpath
import subprocess
import sys
from collections import Counter
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "exporters/events/cdevents/schemas.json"
RELEASES = ("0.4.0", "0.4.1", "0.5.0", "0.5.1")
NOTICE = {
    "what": "What the JSON Schemas of CDEvents demand, in our own shape; made by scripts/cdevents_schemas.py",
    "source": "https://github.com/cdevents/spec, schemas/, tags " + ", ".join(f"v{release}" for release in RELEASES),
    "licence": "Apache-2.0, The CDEvents Authors",
    "changes": "annotations, ids and the one value of context.type left out, references followed, equal parts shared, "
    "and the repairs below",
}
REPAIRS = (
    "0.4.0: properties of links stood beside the keywords, so that no link was valid; they are read as properties, as "
    "0.4.1 has them",
    "0.5.0: pipelinerun.finished, testcaserun.finished and testsuiterun.finished required context.version, which they "
    "forbid; they require context.specversion, as 0.5.1 does",
)
NAMED = ("properties", "$defs", "patternProperties")
SINGLE = ("items", "additionalProperties", "not", "contains", "if", "then", "else", "propertyNames")
SEVERAL = ("oneOf", "anyOf", "allOf", "prefixItems")
VALUES = ("type", "enum", "const", "format", "pattern", "required", "minLength", "maxLength", "minItems", "maxItems",
          "uniqueItems", "minProperties", "maxProperties", "minimum", "maximum", "multipleOf")  # fmt: skip
# Keywords that only tell; in JSON Schema 2020-12 the encoding of a text is one of them (Validation, section 8).
TOLD = ("$schema", "$id", "$comment", "title", "description", "default", "example", "examples", "contentEncoding")
LEAST_PART = 40  # characters; shorter ones are repeated


class Checkout:
    """Files of a release."""

    def __init__(self, folder):
        self.git_dir = folder / ".git" if (folder / ".git").exists() else folder

    def _git(self, *arguments):
        command = ["git", f"--git-dir={self.git_dir}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def names(self, release):
        """Of the schemas of events."""
        listed = self._git("ls-tree", "--name-only", f"v{release}:schemas").split()
        return sorted(name for name in listed if name.endswith(".json"))

    def schema(self, release, path):
        """One, as it was published."""
        return json.loads(self._git("show", f"v{release}:schemas/{path}"))


class Stripping:
    """Makes schemas of one release self-contained, and leaves out what does not validate."""

    def __init__(self, checkout, release):
        self.checkout = checkout
        self.release = release

    def event(self, name):
        """The type of event and its schema."""
        schema = self.checkout.schema(self.release, name)
        context = schema["properties"]["context"]
        (kind,) = context["properties"]["type"].pop("enum")  # it is what the schema is found by
        if self.release == "0.5.0" and "version" not in context["properties"]:
            context["required"] = ["specversion" if each == "version" else each for each in context["required"]]
        return kind, self.stripped(schema, "")

    def stripped(self, schema, folder):
        """The same without what only tells. Raises ValueError for a keyword that we don't know."""
        if not isinstance(schema, dict):
            return schema
        found = {}
        for keyword, value in self._repaired(schema).items():
            if keyword in NAMED:
                found[keyword] = {name: self.stripped(each, folder) for name, each in value.items()}
            elif keyword in SINGLE:
                found[keyword] = self.stripped(value, folder)
            elif keyword in SEVERAL:
                found[keyword] = [self.stripped(each, folder) for each in value]
            elif keyword in VALUES:
                found[keyword] = sorted(value) if keyword == "required" else value
            elif keyword == "$ref":
                found |= self._followed(value, folder)
            elif keyword not in TOLD:
                raise ValueError(f"{self.release}: the keyword {keyword} is not known here")
        return found

    def _repaired(self, schema):
        if self.release != "0.4.0" or "properties" in schema or "link_type" not in schema:
            return schema
        keywords = {*NAMED, *SINGLE, *SEVERAL, *VALUES, *TOLD, "$ref"}
        kept = {name: value for name, value in schema.items() if name in keywords}
        return kept | {"properties": {name: value for name, value in schema.items() if name not in keywords}}

    def _followed(self, reference, folder):
        path = posixpath.join(folder, reference.removeprefix("/schema/").removesuffix(".json") + ".json")
        return self.stripped(self.checkout.schema(self.release, path), posixpath.dirname(path))


class Sharing:
    """Turns schemas that occur more than once into parts."""

    def __init__(self, schemas):
        self._times = Counter()
        self._numbers = {}
        self.parts = {}
        for schema in schemas:
            self._count(schema)

    def _count(self, schema):
        text = _text(schema)
        self._times[text] += 1
        if self._times[text] == 1:
            for each in _inner(schema):
                self._count(each)

    def packed(self, schema):
        """The schema, or the part that it is."""
        text = _text(schema)
        if text in self._numbers:
            return self._numbers[text]
        packed = _mapped(schema, self.packed)
        if self._times[text] < 2 or len(text) < LEAST_PART:
            return packed
        name = self._numbers[text] = f"p{len(self.parts) + 1}"
        self.parts[name] = packed
        return name


def _inner(schema):
    inner = []
    _mapped(schema, inner.append)
    return inner


def _mapped(schema, change):
    if not isinstance(schema, dict):
        return schema
    return {
        keyword: {name: change(each) for name, each in value.items()} if keyword in NAMED
        else [change(each) for each in value] if keyword in SEVERAL
        else change(value) if keyword in SINGLE
        else value
        for keyword, value in schema.items()
    }  # fmt: skip


def _text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def written(checkout):
    """The whole file."""
    releases = {}
    for release in RELEASES:
        stripping = Stripping(checkout, release)
        releases[release] = dict(sorted(stripping.event(name) for name in checkout.names(release)))
    sharing = Sharing([schema for schemas in releases.values() for schema in schemas.values()])
    packed = {
        release: {kind: sharing.packed(schema) for kind, schema in schemas.items()}
        for release, schemas in releases.items()
    }
    lines = [f'"notice":{_text(NOTICE)}', f'"repairs":{_text(REPAIRS)}']
    lines += [f'"parts":{{\n{_lines(sharing.parts)}\n}}']
    lines += [
        '"releases":{\n' + ",\n".join(f'"{name}":{{\n{_lines(each)}\n}}' for name, each in packed.items()) + "\n}"
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _lines(named):
    return ",\n".join(f'"{name}":{_text(value)}' for name, value in named.items())


def main():
    """0: written, or the same; 1: `--check` found it different; 2: no such checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    try:
        text = written(Checkout(arguments.checkout))
    except subprocess.CalledProcessError as error:
        print(f"cdevents_schemas: {error.stderr.strip()}", file=sys.stderr)
        return 2
    if arguments.check:
        same = TARGET.exists() and TARGET.read_text() == text
        print("the same" if same else f"{TARGET.name} differs", file=sys.stderr)
        return 0 if same else 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
