"""Documents of some kinds out of a workspace: only files that may hold one are read, for there may be thousands."""

import re
from collections.abc import Iterable, Sequence

from controlplane.problems import Problem
from controlplane.specfile import Document, Kind, SourceFile, read
from flyball.kinds import KINDS


def read_kinds(files: Iterable[SourceFile], kinds: Sequence[Kind]) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """Those documents in the order of the files, and what is wrong in the files that hold any.

    Documents that are wrong in themselves are left out.
    """
    declares = re.compile(rb"""\bkind["']?\s*:\s*["']?(?:%s)\b""" % b"|".join(kind.name.encode() for kind in kinds))
    found = read([file for file in files if declares.search(file.content)], KINDS)
    return tuple(document for document in found.documents if document.kind in kinds), tuple(found.problems)
