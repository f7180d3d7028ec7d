"""Finds every block of code in a Markdown file, so that none can escape being run. Conventions: `docs/README.md`.

Refused, each with its line: fences without a language or of one that nobody runs or allows, options that do not exist,
code by indentation, fences of tildes.
"""

import dataclasses
import re
import shlex
import textwrap
from pathlib import Path

OPTIONS = {
    "console": {"background", "exit", "numbers", "timeout"},
    "python": {"file"},
    "ini": {"file"},
    "json": set(),
    "text": set(),
    "mermaid": set(),
}
"""The languages that a page may use, and the options of each."""

FENCE = re.compile(r"( *)(`{3,})(.*)")
SKIPPED = {"node_modules", "__pycache__"}


class PageError(AssertionError):
    """A page breaks a convention, or does not do what it shows."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One fenced block; `line` is that of its fence, counted from 1."""

    page: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    def error(self, message: str) -> PageError:
        return PageError(f"{self.page}:{self.line}: {message}")


def find_pages(root: Path) -> list[Path]:
    """Return every Markdown file of the project, those of folders whose names begin with a point left out."""
    pages = (path.relative_to(root) for path in root.rglob("*.md"))
    return sorted(page for page in pages if not any(part[0] == "." or part in SKIPPED for part in page.parts))


def parse_blocks(text: str, page: Path) -> list[Block]:
    """Return the blocks of a page in order, or raise PageError for the first thing that is not as it must be."""
    blocks: list[Block] = []
    lines = iter(enumerate(text.splitlines(), start=1))
    before = ""
    for number, line in lines:
        fence = FENCE.match(line)
        if fence:
            blocks.append(_block(page, number, fence, _body(page, number, fence, lines)))
        elif line.lstrip().startswith("~~~"):
            raise PageError(f"{page}:{number}: a fence of tildes; use ```")
        elif line.startswith("    ") and line.strip() and not before.strip():
            raise PageError(f"{page}:{number}: code by indentation; use a fence with a language")
        before = "" if fence else line
    return blocks


def _body(page, number, fence, lines):
    indent, ticks = fence[1], fence[2]
    body = []
    for _, line in lines:
        if line.strip().startswith(ticks) and not line.strip().strip("`"):
            return "".join(f"{line.removeprefix(indent)}\n" for line in body)
        body.append(line)
    raise PageError(f"{page}:{number}: this fence never ends")


def _block(page, number, fence, text):
    language, *words = shlex.split(fence[3]) or [""]
    if language not in OPTIONS:
        raise PageError(f"{page}:{number}: unknown language {language!r}; use one of {', '.join(OPTIONS)}")
    options = dict(word.partition("=")[::2] for word in words)
    if unknown := options.keys() - OPTIONS[language]:
        raise PageError(f"{page}:{number}: a {language} block has no option {', '.join(sorted(unknown))}")
    return Block(page=page, line=number, language=language, options=options, text=textwrap.dedent(text))
