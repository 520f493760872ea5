"""Which code made something: what an older one made is not trusted to be what this one would make."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_COMPILER: Final = ("controlplane", "slo")


@cache
def compiler_fingerprint() -> str:
    """A hash of everything that turns files into rules; some 100 files, so a few milliseconds."""
    digest = hashlib.sha256()
    paths = [path for package in _COMPILER for path in (_ROOT / package).rglob("*.py")]
    for path in sorted([*paths, *(_ROOT / "flyball").glob("*.py")]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(_ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
