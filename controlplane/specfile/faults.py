"""What is wrong at an offset of a text, before lines and columns are known."""


class Fault(Exception):
    """Something wrong in [start, end) of a file's text. `first` points at what it clashes with; `field` names it."""

    def __init__(
        self,
        start: int,
        end: int,
        message: str,
        hint: str = "",
        rule: str = "",
        first: int | None = None,
        field: str = "",
    ) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.message = message
        self.hint = hint
        self.rule = rule
        self.first = first
        self.field = field
