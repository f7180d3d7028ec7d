"""Compares what a command printed with what a page shows.

A line `...` stands for any number of lines, `...` within a line for any text, a run of blanks for any run of blanks.
Timestamps (16 digits, or ISO 8601) stand for any others; with `any_numbers` every number does.
"""

import re

STANDS_FOR = {
    "text": (r"\.\.\.", ".*"),
    "iso": (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?",) * 2,
    "us": (r"(?<!\d)\d{16}(?!\d)", r"\d{16}"),
    "number": (r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?",) * 2,
    "blanks": (r"\s+",) * 2,
}


def matches(shown: list[str], printed: list[str], *, any_numbers: bool = False, is_part: bool = False) -> bool:
    """Return whether lines are as shown; with `is_part` more of them may follow."""
    if not shown:
        return is_part or not printed
    how = {"any_numbers": any_numbers, "is_part": is_part}
    if shown[0].strip() == "...":
        return any(matches(shown[1:], printed[skip:], **how) for skip in range(len(printed) + 1))
    if not printed or not _pattern(shown[0].rstrip(), any_numbers).fullmatch(printed[0].rstrip()):
        return False
    return matches(shown[1:], printed[1:], **how)


def _pattern(line: str, any_numbers: bool) -> re.Pattern[str]:
    kinds = [kind for kind in STANDS_FOR if any_numbers or kind != "number"]
    pattern, end = "", 0
    for token in re.finditer("|".join(f"(?P<{kind}>{STANDS_FOR[kind][0]})" for kind in kinds), line):
        pattern += re.escape(line[end : token.start()]) + STANDS_FOR[token.lastgroup][1]
        end = token.end()
    return re.compile(pattern + re.escape(line[end:]))
