"""What is wrong with a formula, and where."""

from collections.abc import Sequence

WIDTH = 100  # a longer line is shown in part


class FormulaError(ValueError):
    """A formula that is refused: what is wrong, where, and the place pointed at."""

    def __init__(self, detail: str, *, text: str, position: int) -> None:
        self.detail = detail
        self.position = position
        self.pointed = point(text, position)
        super().__init__(f"{detail}\n{self.pointed}")


class CycleError(ValueError):
    """Formulas that need each other, so that none of them can be computed first."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.detail = ", ".join(
            f"{name} needs {'itself' if name == needed else needed}"
            for name, needed in zip(names, [*names[1:], names[0]], strict=True)
        )
        super().__init__(self.detail)


def point(text: str, position: int) -> str:
    """Show the line of a position with a caret below it; of a long line, the part around the position."""
    begin = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    shift = max(begin, position - WIDTH * 3 // 4)
    before = "..." if shift > begin else ""
    after = "..." if end - shift > WIDTH else ""
    # One column for each character; what cannot be shown, such as half a surrogate pair, is not passed on.
    line = "".join(
        " " if sign.isspace() else sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for sign in text[shift : min(end, shift + WIDTH)]
    )
    return f"{before}{line}{after}\n{' ' * (len(before) + position - shift)}^"
