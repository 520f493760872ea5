"""From YAML text to plain values and the places where they stand.

Values are `dict`, `list`, `str`, `bool` and `None`. Only `true`, `false` and `null` (and `~`, and nothing) mean more
than their characters, as in YAML 1.2's core schema; numbers and dates stay text, so `1.10` never becomes `1.1` and
`0.999` never passes through a float: the model that asks for a number reads it from the text, exactly.

libyaml reads, event by event; so depth and size are bounded before anything large is built, and aliases are counted by
what they stand for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from controlplane.specfile.faults import Fault
from controlplane.specfile.suggestions import short

MAX_DEPTH: Final = 64  # nesting that no spec needs; below libyaml's and Python's own limits
MAX_VALUES: Final = 1_000_000  # of one file: about 0.5 GB
MAX_ALIASED_VALUES: Final = 100_000  # what the aliases of one document may stand for, taken together

Value = bool | str | list["Value"] | dict[str, "Value"] | None

_CONSTANTS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_CORE: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final = frozenset(f"{_CORE}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp"))
_MERGE: Final = "<<"


class Place(NamedTuple):
    """Where a value stands, as offsets in the file: [start, end). `inner` holds the places of what it contains."""

    start: int
    end: int
    inner: "dict[str, Entry] | list[Place] | None"


class Entry(NamedTuple):
    """Where a mapping's key stands, and its value."""

    start: int
    end: int
    place: Place


@dataclass(frozen=True, slots=True)
class Composed:
    """One document: what it says, where, and what is wrong with it although it could be read."""

    value: Value
    place: Place
    faults: tuple[Fault, ...]


class _Anchored(NamedTuple):
    value: Value
    place: Place
    size: int


class Composer:
    """Reads the documents of one piece of text; `offset` is where the piece begins in its file.

    Raises `yaml.YAMLError` on broken syntax and `Fault` when a bound is exceeded.
    """

    def __init__(self, text: str, offset: int, limit: int = MAX_VALUES) -> None:
        self._parser = CParser(text)
        self._offset = offset
        self._limit = limit
        self._anchors: dict[str, _Anchored | None] = {}
        self._aliased = 0
        self._faults: list[Fault] = []
        self.count = 0

    def documents(self) -> Iterator[Composed]:
        """Every document that says something; those that are empty or only `null` are left out."""
        while not isinstance(event := self._next(), StreamEndEvent):
            if isinstance(event, DocumentStartEvent):
                self._anchors, self._aliased, self._faults = {}, 0, []
                value, place = self._node(self._next(), 0)
                if value is not None:
                    yield Composed(value, place, tuple(self._faults))

    def _next(self) -> Event:
        event = self._parser.get_event()
        assert event is not None  # None comes after the end of the stream only
        return event

    def _span(self, event: Event) -> tuple[int, int]:
        """Where an event stands in the file."""
        start, end = event.start_mark, event.end_mark
        assert start is not None  # the parser sets both; only events made by hand may lack them
        assert end is not None
        return start.index + self._offset, end.index + self._offset

    def _node(self, event: Event, depth: int) -> tuple[Value, Place]:
        self.count += 1
        if self.count > self._limit:
            message = f"the file holds more than {MAX_VALUES:,} values"
            raise Fault(*self._span(event), message, "split it into several files", "too-large")
        if isinstance(event, ScalarEvent) and event.anchor is None:
            return self._scalar(event)
        assert isinstance(event, NodeEvent)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise Fault(*self._span(event), message, rule="too-deep")
        anchor = event.anchor
        before = self.count + self._aliased
        if anchor is not None:
            self._anchors[anchor] = None
        value, place = self._content(event, depth)
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, place, 1 + self.count + self._aliased - before)
        return value, place

    def _content(self, event: NodeEvent, depth: int) -> tuple[Value, Place]:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, depth)
        assert isinstance(event, SequenceStartEvent)
        return self._sequence(event, depth)

    def _scalar(self, event: ScalarEvent) -> tuple[Value, Place]:
        start, end = self._span(event)
        place = Place(start, end, None)
        if event.tag is None:
            text: str = event.value
            if event.implicit[0] and text in _CONSTANTS:
                return _CONSTANTS[text], place
            return text, place
        if event.tag not in _SCALAR_TAGS and event.tag != "!":
            self._faults.append(self._unknown_tag(event))
        if event.tag == f"{_CORE}null":
            return None, place
        if event.tag == f"{_CORE}bool":
            return _CONSTANTS.get(event.value, event.value), place
        return event.value, place

    def _sequence(self, event: SequenceStartEvent, depth: int) -> tuple[Value, Place]:
        self._check_tag(event, "seq")
        values: list[Value] = []
        places: list[Place] = []
        while not isinstance(item := self._next(), SequenceEndEvent):
            value, place = self._node(item, depth + 1)
            values.append(value)
            places.append(place)
        return values, Place(self._span(event)[0], self._span(item)[1], places)

    def _mapping(self, event: MappingStartEvent, depth: int) -> tuple[Value, Place]:
        self._check_tag(event, "map")
        values: dict[str, Value] = {}
        entries: dict[str, Entry] = {}
        merged: list[tuple[Value, Place]] = []
        while not isinstance(key_event := self._next(), MappingEndEvent):
            key, start, end = self._key(key_event, depth)
            value, place = self._node(self._next(), depth + 1)
            if key is None:
                continue
            if key == _MERGE and isinstance(key_event, ScalarEvent) and key_event.implicit[0]:
                merged.append((value, place))
            elif key in values:
                self._faults.append(self._duplicate(key, start, end, entries[key]))
            else:
                values[key] = value
                entries[key] = Entry(start, end, place)
        for value, place in merged:
            self._merge(values, entries, value, place)
        return values, Place(self._span(event)[0], self._span(key_event)[1], entries)

    def _key(self, event: Event, depth: int) -> tuple[str | None, int, int]:
        """The text of a key (None when it has none: a fault is noted then) and where it stands in the file."""
        start, end = self._span(event)
        if isinstance(event, ScalarEvent) and event.anchor is None and event.tag is None:
            self.count += 1
            if event.value or not event.implicit[0]:
                return event.value, start, end
            self._faults.append(Fault(start, end, "a key is missing before the colon", "", "bad-key"))
            return None, start, end
        value, _ = self._node(event, depth + 1)
        if isinstance(value, str):
            return value, start, end
        if isinstance(event, ScalarEvent) and event.value:
            return event.value, start, end
        what = "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else "nothing"
        hint = "" if not isinstance(event, CollectionStartEvent) else "text that begins with { or [ needs quotes"
        self._faults.append(Fault(start, end, f"a key must be text, not {what}", hint, "bad-key"))
        return None, start, end

    def _merge(self, values: dict[str, Value], entries: dict[str, Entry], value: Value, place: Place) -> None:
        sources: Iterable[tuple[Value, Place]] = [(value, place)]
        if isinstance(value, list) and isinstance(place.inner, list):
            sources = zip(value, place.inner, strict=True)
        for source, where in sources:
            if not isinstance(source, dict):
                self._faults.append(
                    Fault(where.start, where.end, "`<<` merges mappings, and this is none", "", "bad-merge")
                )
                continue
            assert isinstance(where.inner, dict)
            for key in source:
                if key not in values:
                    values[key] = source[key]
                    entries[key] = where.inner[key]

    def _alias(self, event: AliasEvent) -> tuple[Value, Place]:
        start, end = self._span(event)
        if event.anchor not in self._anchors:
            message = f"no anchor `&{short(event.anchor or '')}` stands before this alias"
            hint = "text that begins with * needs quotes"
            raise Fault(start, end, message, hint, "unknown-alias")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            message = f"the alias `*{short(event.anchor or '')}` stands inside of what it refers to"
            raise Fault(start, end, message, rule="alias-loop")
        self._aliased += anchored.size
        if self._aliased > MAX_ALIASED_VALUES:
            message = f"the aliases of this document stand for more than {MAX_ALIASED_VALUES:,} values"
            raise Fault(start, end, message, rule="alias-explosion")
        return anchored.value, anchored.place

    def _check_tag(self, event: CollectionStartEvent, name: str) -> None:
        if event.tag is not None and event.tag not in (f"{_CORE}{name}", "!"):
            self._faults.append(self._unknown_tag(event))

    def _unknown_tag(self, event: ScalarEvent | CollectionStartEvent) -> Fault:
        tag = event.tag or ""
        shown = f"!!{tag[len(_CORE) :]}" if tag.startswith(_CORE) else tag
        start, _ = self._span(event)
        return Fault(start, start + len(shown), f"the tag `{short(shown)}` is not allowed", "remove it", "unknown-tag")

    def _duplicate(self, key: str, start: int, end: int, first: Entry) -> Fault:
        return Fault(start, end, f"the key `{short(key)}` is there twice", "", "duplicate-key", first.start)
