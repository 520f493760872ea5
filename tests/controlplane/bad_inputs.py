"""Files that are wrong in one way each; what the reader says of them stands in `reports/`."""

from tests.controlplane.specimens import GOAL

_TEAM = "apiVersion: test/v1\nkind: Team\nmetadata:\n  name: a\n"
_HEAD = "apiVersion: test/v1\nkind: Goal\n"
_OTHER = GOAL.replace("one", "two")
_LAUGHS = "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))

TEXTS: dict[str, str] = {
    # --- syntax
    "a key twice": GOAL + "  service: a\n  service: b\n",
    "keys twice at several depths": GOAL + "  objectives:\n    - {target: 0.9, target: 0.8}\nkind: Goal\n",
    "a tab before a key": GOAL + "\tservice: a\n",
    "a tab after text": GOAL + "  service: a\n\tquery: b\n",
    "a tab in a block": GOAL + "  query: |\n\tfoo\n",
    "aliases that explode": f"a: &a [x,x,x,x,x,x,x,x,x]\n{_LAUGHS}",
    "an alias of itself": "a: &a [*a]\n",
    "an alias of what holds it": "a: &a {b: {c: *a}}\n",
    "an alias without an anchor": GOAL + "  service: *nope\n",
    "a quote never closed": GOAL + "  service: 'a\n",
    "a bracket never closed": GOAL + "  objectives: [{target: 0.9",
    "a file that ends within a key": "apiVersion: test/v1\nki",
    "a file that ends within an escape": GOAL + '  service: "a\\',
    "nested too deeply in brackets": "a: " + "[" * 5000,
    "nested too deeply in braces": "{" * 100_000,
    "nested too deeply in lines": "\n".join(" " * depth + "a:" for depth in range(200)),
    "a colon in text": GOAL + "  service: a: b\n",
    "no space after a colon": GOAL + "  service:a\n  query: b\n",
    "indented too much": GOAL + "   service: a\n  query: b\n",
    "indented too little": GOAL + "  service: a\n query: b\n",
    "a list item within a mapping": "metadata:\n  name: a\n  - b\n",
    "a mapping key within a list": "- a\nb: c\n",
    "a list on the key's line": GOAL + "  service: - a\n",
    "text after a closing quote": GOAL + '  service: "a" b\n',
    "an unknown escape": GOAL + '  service: "\\d"\n',
    "a broken escape": GOAL + '  service: "\\xZZ"\n',
    "an escape of no character": GOAL + '  service: "\\ud800"\n',
    "an at sign first": GOAL + "  service: @a\n",
    "a percent sign first": GOAL + "  service: %a\n",
    "a star alone": GOAL + "  service: *\n",
    "a bracket too much": GOAL + "  objectives: []]\n",
    "braces of a template": GOAL + "  service: {{service}}\n",
    "a merge conflict": f"<<<<<<< HEAD\n{GOAL}=======\n>>>>>>> other\n",
    "a tag of Python": GOAL + "  service: !!python/object/apply:os.system [id]\n",
    "an unknown tag": GOAL + "  service: !secret x\n",
    "an undeclared tag": GOAL + "  service: !e!foo x\n",
    "a set": "!!set {a, b}\n",
    "an unknown YAML version": f"%YAML 3.0\n---\n{GOAL}",
    "keys that are no text": GOAL + "  1: a\n  [a]: b\n  {a: b}: c\n  ?\n  : d\n",
    "a merge of no mapping": GOAL + "  <<: 5\n",
    "an indentation indicator of zero": GOAL + "  query: |0\n    a\n",
    # --- what a document is
    "a list for a document": "- a\n- b\n",
    "text for a document": "hello world\nfoo bar\n",
    "an unknown version": "apiVersion: test/v2\nkind: Goal\n",
    "an unknown kind": "apiVersion: test/v1\nkind: Gaols\n",
    "nothing like a known kind": "apiVersion: apps/v1\nkind: Deployment\n",
    "neither version nor kind": "metadata: {name: x}\n",
    "a kind that is no text": "apiVersion: [a]\nkind:\n",
    "the same name twice": f"{GOAL}  service: a\n---\n{GOAL}  service: b\n---\n{_TEAM}---\n{_OTHER}  service: c\n",
    "one broken document among good ones": f"{GOAL}  query: [a\n---\n{_OTHER}  servic: x\n---\n: :\n---\n{_TEAM}",
    "a separator inside of quotes": f"{GOAL}  service: 'a\n---\n{_OTHER}  retries: 99\n",
    # --- fields
    "unknown fields": GOAL + "  objectivs: 1\n  zzz: 2\n",
    "a mistyped required field": GOAL + "  objectives:\n    - targt: 0.9\n",
    "missing fields": _HEAD + "metadata: {}\nspec:\n  objectives:\n    - displayName: a\n",
    "missing parts": _HEAD,
    "parts that are empty": _HEAD + "metadata:\nspec:\n",
    "values of wrong types": GOAL
    + "  service: [a]\n  query: {a: b}\n  enabled: maybe\n  retries: 1.5\n  method: occurrences\n  objectives: x\n",
    "more values of wrong types": GOAL + "  service:\n  retries: -1\n  objectives: []\n  enabled: 7\n  since: friday\n",
    "numbers that are none": GOAL + "  objectives: [{target: .nan}, {target: .inf}, {target: NaN}, {target: abc}]\n",
    "numbers out of range": GOAL + "  objectives: [{target: 1.5}, {target: 1e999999}, {target: -0}]\n",
    "a huge whole number": GOAL + f"  retries: {'9' * 5000}\n",
    "true for text": _TEAM.replace("name: a", "name: true") + "  labels: {b: null, c: [], d: 1.10}\n",
    "a union's member": GOAL
    + "  indicator: {type: ratio, limit: 5}\n  either: {type: threshold, query: x, limit: z}\n",
    "no member of a union": GOAL + "  indicator: {type: ratios}\n  either: 5\n",
    "a union without its tag": GOAL + "  indicator: {good: x}\n",
    "text or list": GOAL + "  owners: {a: b}\n",
    "a merged mistake": "apiVersion: test/v1\nkind: Goal\nmetadata: &m {name: a}\nspec:\n  <<: *m\n",
    "all on one line": '{"apiVersion":"test/v1","kind":"Goal","metadata":{"name":"a"},"spec":{"servce":"x"}}',
    "wide characters and tabs": GOAL + "  service: {漢字:\t[é, true]}\n",
    "a long line": GOAL + f"  service: [{'a' * 300}, {{b: c}}]\n",
    "CR line ends": (GOAL + "  servic: x\n---\na: b\n").replace("\n", "\r"),
    "CRLF line ends": (GOAL + "  servic: x\n---\na: b\n").replace("\n", "\r\n"),
    "terminal commands": GOAL + '  "\\e[31mred": x\n',
}

BYTES: dict[str, bytes] = {
    "a byte that is not UTF-8": GOAL.encode() + b"  service: caf\xe9 au lait\n  servic: x\n",
    "bytes of another file format": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcbH\xcd\xc9\xc9W(\xcf/\xcaI\x01\x00",
    "every byte": bytes(range(256)),
    "a NUL": (GOAL + "  service: a\0b\n").encode(),
    "a control character": (GOAL + "  service: a\x07b\n").encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + (GOAL + "  servic: x\n").encode(),
    "UTF-16 with a mark": (GOAL + "  servic: x\n").encode("utf-16"),
    "UTF-16 without a mark": GOAL.encode("utf-16-le"),
    "UTF-16 cut in the middle": GOAL.encode("utf-16")[:-1],
    "UTF-32 with a mark": (GOAL + "  servic: x\n").encode("utf-32"),
    "an encoded surrogate": GOAL.encode() + b"  service: \xed\xa0\x80\n",
    "UTF-8 cut in the middle": (GOAL + "  service: é").encode()[:-1],
}

CASES: dict[str, bytes] = {name: text.encode() for name, text in TEXTS.items()} | BYTES
