"""Every block of code of every page does what the page says."""

import json
import re

import pytest

from .markdown import Block, PageError, find_pages, parse_blocks
from .terminal import INTERRUPT, ROOT, SECONDS, Terminal, copy_of_folder

PAGES = find_pages(ROOT)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_block_of_code_runs(page, tmp_path):
    blocks = parse_blocks((ROOT / page).read_text(), page)
    check_files_are_used(blocks)
    if not any(block.language in ("python", "console", "ini", "json") for block in blocks):
        return
    run_page(blocks, tmp_path, folder=(ROOT / page).parent if page.name == "README.md" else None)


def run_page(blocks, tmp_path, folder=None):
    """Run the blocks of one page; a README runs in a copy of its folder, other pages in an empty one."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    if folder is None:
        here.mkdir()
    else:
        copy_of_folder(folder, here)
    nodes: dict[str, Block] = {}
    with Terminal(here, home) as terminal:
        for block in blocks:
            try:
                run_block(block, terminal, nodes)
            except PageError as error:
                raise block.error(str(error)) from None
        for node, block in nodes.items():
            check_node(node, block, terminal)


def run_block(block, terminal, nodes):
    if block.language == "json":
        json.loads(block.text)
    elif block.language == "console":
        run_console(block, terminal)
    elif block.language == "python":
        path = terminal.write(block.options.get("file", f"block_{block.line}.py"), block.text)
        if "file" not in block.options:
            terminal.run(f"python3 '{path}'", ["..."])
    elif block.language == "ini":
        named = re.match(r"# (\S+\.conf)\n", block.text)
        if not named and "file" not in block.options:
            raise block.error("an ini block needs a name for joule check: file=, or a first line such as # main.conf")
        path = terminal.write(block.options.get("file") or named[1], block.text)
        node = path.parent if path.name == "main.conf" else path.parent.parent
        nodes.setdefault(str(node), block)
        if "faulty" in block.options:
            nodes[str(node)] = block


def run_console(block, terminal):
    how = {"seconds": float(block.options.get("timeout", SECONDS)), "numbers": block.options.get("numbers") == "any"}
    commands = parse_console(block)
    for place, (command, shown) in enumerate(commands, start=1):
        is_last = place == len(commands)
        if command == INTERRUPT:
            terminal.interrupt_background(shown, numbers=how["numbers"])
        elif is_last and "background" in block.options:
            terminal.run_in_background(command, shown, **how)
        else:
            code = int(block.options.get("exit", 0)) if is_last else 0
            terminal.run(command, shown, code=code, **how)


def parse_console(block):
    """Return the commands of a console block, each with the lines shown below it."""
    text = re.sub(r"\\\n(?:> )?", "", block.text)
    commands = []
    for line in text.splitlines():
        if line.startswith("$ ") or (line == INTERRUPT and not commands):
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


def check_node(node, block, terminal):
    if "faulty" in block.options:
        return
    try:
        terminal.run(f"joule check '{node}'", ["..."])
    except PageError as error:
        raise block.error(str(error)) from None
