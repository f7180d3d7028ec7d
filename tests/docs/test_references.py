"""What pages say about names that are also elsewhere: links, the glossary, dependencies, layers, decisions."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from .markdown import find_pages, parse_blocks
from .terminal import ROOT, Terminal

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DECISIONS = ROOT / "docs" / "explanations" / "decisions"


def table(path, heading=""):
    """Return the rows of the first table below a heading, as lists of cells."""
    text = (ROOT / path).read_text().partition(heading or "# ")[2]
    first = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in first[0].splitlines()[2:]]


@pytest.mark.parametrize("page", find_pages(ROOT), ids=str)
def test_links_lead_somewhere(page):
    text = re.sub(r"^ *```.*?^ *```", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link.partition("#")[0] for link in links if not re.match(r"https?://|#", link)]
    assert [link for link in local if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_the_glossary_is_sorted_and_gives_one_meaning_to_each_word():
    words = [row[0] for row in table("docs/reference/glossary.md")]
    assert words == sorted(set(words))


def test_the_words_of_the_design_are_in_the_glossary():
    words = {row[0] for row in table("docs/reference/glossary.md")}
    design = """node module reader filter composite stream element layout row interval pipe folder level keep annotation
        event cursor segment archiver break stored durable"""
    assert words.issuperset(design.split())  # noqa: SIM905


@pytest.mark.parametrize("extra", ["", "dev", "bench"])
def test_every_dependency_has_its_line_and_no_other(extra):
    project = PROJECT["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    heading = f"`{extra}`" if extra else "# Dependencies"
    described = {row[0].strip("`") for row in table("docs/explanations/dependencies.md", heading)}
    assert described == {re.match(r"[\w.-]+", requirement)[0] for requirement in wanted}


def test_the_layers_of_the_architecture_are_those_that_are_checked():
    (contract,) = PROJECT["tool"]["importlinter"]["contracts"]
    layers = [", ".join(layer.split(" | ")) for layer in contract["layers"]]
    assert [row[0].replace("`", "") for row in table("ARCHITECTURE.md", "## Layers")] == layers


@pytest.mark.timeout(60)
def test_the_architecture_names_every_file_of_a_running_node(tmp_path):
    (tmp_path / "home").mkdir()
    with Terminal(tmp_path, tmp_path / "home") as terminal:
        terminal.run("joule init node", ["..."])
        for folder in ("random_reader", "mean_filter"):
            sample = ROOT / "src" / "joule" / "builtins" / folder / "sample.conf"
            shutil.copy(sample, tmp_path / "node" / "module_configs" / f"{folder}.conf")
        terminal.run_in_background("jouled --config node", ["...", "... node node in ..."])
        terminal.run("joule -n node data read /example/smooth --live", ["...", "^C", "..."])
        found = [path.relative_to(tmp_path / "node") for path in (tmp_path / "node").rglob("*") if not path.is_dir()]
    cells = [row[0] for row in table("ARCHITECTURE.md", "## What lies on disk")]
    names = [name for cell in cells for name in re.findall("`(.*?)`", cell)]
    patterns = [re.escape(name).replace("<", "(.+)(?#").replace(">", ")") for name in names]
    named = re.compile("|".join(f"{pattern}.*" if pattern.endswith("/") else pattern for pattern in patterns))
    assert [path for path in map(str, found) if not named.fullmatch(path)] == []


def test_decisions_are_numbered_without_gaps_and_listed():
    files = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    listed = [re.search(r"\((.*)\)", row[0])[1] for row in table(DECISIONS.relative_to(ROOT) / "README.md")]
    assert listed == files


def test_the_smallest_reader_is_15_lines_with_no_plumbing():
    first = next(block for block in parse_blocks((ROOT / "README.md").read_text(), "README.md"))
    assert first.language == "python"
    assert len(first.text.splitlines()) <= 15


def test_every_page_below_docs_is_in_the_table_of_contents():
    contents = (ROOT / "docs" / "README.md").read_text()
    pages = [page for page in find_pages(ROOT) if page.parts[0] == "docs" and "decisions" not in page.parts]
    missing = [page for page in pages if f"({page.relative_to('docs')})" not in contents]
    assert missing == [Path("docs/README.md")]
