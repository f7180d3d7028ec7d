"""Every block of code of every page does what the page says."""

import contextlib
import json
import re

import pytest

from .markdown import PageError, find_pages, parse_blocks
from .terminal import ROOT, SECONDS, Terminal, copy_of_folder


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", find_pages(ROOT), ids=str)
def test_every_block_of_code_runs(page, tmp_path):
    blocks = parse_blocks((ROOT / page).read_text(), page)
    if any(block.language not in ("text", "mermaid") for block in blocks):
        run_page(blocks, tmp_path, folder=(ROOT / page).parent if page.name == "README.md" else None)


def run_page(blocks, tmp_path, folder=None):
    """Run the blocks of one page; a README runs in a copy of its folder, other pages in an empty one."""
    check_files_are_used(blocks)
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    if folder is None:
        here.mkdir()
    else:
        copy_of_folder(folder, here)
    nodes = {}
    with Terminal(here, home) as terminal:
        for block in blocks:
            with at(block):
                RUN[block.language](block, terminal, nodes)
        for node, block in nodes.items():
            with at(block):
                terminal.run(f"joule check '{node}'", ["..."])


@contextlib.contextmanager
def at(block):
    """Say in which block of a page something went wrong."""
    try:
        yield
    except (PageError, ValueError) as error:
        raise block.error(str(error)) from None


def run_python(block, terminal, nodes):
    path = terminal.write(block.options.get("file", f"block_{block.line}.py"), block.text)
    if "file" not in block.options:
        terminal.run(f"python3 '{path}'", ["..."])


def run_console(block, terminal, nodes):
    how = {"seconds": float(block.options.get("timeout", SECONDS)), "numbers": block.options.get("numbers") == "any"}
    *commands, last = parse_console(block)
    for command, shown in commands:
        terminal.run(command, shown, **how)
    if "background" in block.options:
        terminal.run_in_background(*last, **how)
    else:
        terminal.run(*last, code=int(block.options.get("exit", 0)), **how)


def run_ini(block, terminal, nodes):
    """Write the file; its node is checked when the page is through, since files may refer to others."""
    named = re.match(r"# (\S+\.conf)\n", block.text)
    if not named and "file" not in block.options:
        raise PageError("an ini block needs a name for joule check: file=, or a first line such as # main.conf")
    path = terminal.write(block.options.get("file") or named[1], block.text)
    nodes.setdefault(path.parent if path.name == "main.conf" else path.parent.parent, block)


RUN = {
    "python": run_python,
    "console": run_console,
    "ini": run_ini,
    "json": lambda block, *_: json.loads(block.text),
    "text": lambda *_: None,
    "mermaid": lambda *_: None,
}


def parse_console(block):
    """Return the commands of a console block, each with the lines shown below it."""
    commands = []
    for line in re.sub(r"\\\n(?:> )?", "", block.text).splitlines():
        if line.startswith("$ "):
            commands.append((line.removeprefix("$ "), []))
        elif commands:
            commands[-1][1].append(line)
        else:
            raise block.error("a console block begins with a command: $ ...")
    return commands


def check_files_are_used(blocks):
    """A program that a page shows and nothing runs would escape: refuse it."""
    for place, block in enumerate(blocks):
        name = block.options.get("file", "").rpartition("/")[2].removesuffix(".py")
        if block.language == "python" and name and not any(name in later.text for later in blocks[place + 1 :]):
            raise block.error(f"nothing on this page runs {block.options['file']}")
