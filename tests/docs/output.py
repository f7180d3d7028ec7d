"""Compares what a command printed with what a page shows.

A line `...` stands for any number of lines, `...` within a line for any text, a run of blanks for any run of blanks.
Timestamps (16 digits, or ISO 8601) stand for any others; with `numbers=any` every number does.
"""

import re

ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
EXACT = re.compile(rf"(?P<any>\.\.\.)|(?P<iso>{ISO})|(?P<us>(?<!\d)\d{{16}}(?!\d))|(?P<blanks>\s+)")
NUMBERS = re.compile(rf"(?P<any>\.\.\.)|(?P<iso>{ISO})|(?P<number>[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<blanks>\s+)")
STANDS_FOR = {"any": ".*", "iso": ISO, "us": r"\d{16}", "blanks": r"\s+", "number": r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?"}


def matches(shown: list[str], printed: list[str], *, any_numbers: bool = False, is_part: bool = False) -> bool:
    """Return whether lines are as shown; with `is_part` they may go on, or begin before, what is shown."""
    return _from(shown, printed, any_numbers=any_numbers, is_part=is_part)


def _from(shown, printed, **how):
    if not shown:
        return how["is_part"] or not printed
    if shown[0].strip() == "...":
        return any(_from(shown[1:], printed[skip:], **how) for skip in range(len(printed) + 1))
    return (
        bool(printed)
        and _line(shown[0], how["any_numbers"]).fullmatch(printed[0].rstrip()) is not None
        and _from(shown[1:], printed[1:], **how)
    )


def _line(shown: str, any_numbers: bool) -> re.Pattern[str]:
    pattern, end = "", 0
    line = shown.rstrip()
    for token in (NUMBERS if any_numbers else EXACT).finditer(line):
        pattern += re.escape(line[end : token.start()]) + STANDS_FOR[token.lastgroup]
        end = token.end()
    return re.compile(pattern + re.escape(line[end:]))
