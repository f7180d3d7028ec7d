from pathlib import Path

import pytest

from .markdown import PageError, find_pages, parse_blocks
from .output import matches

PAGE = Path("page.md")


def blocks_of(text):
    return parse_blocks(text, PAGE)


def test_a_block_has_its_language_options_text_and_line():
    (block,) = blocks_of("words\n\n```python file=a.py\nx = 1\n```\nmore\n")
    assert (block.language, block.options, block.text, block.line) == ("python", {"file": "a.py"}, "x = 1\n", 3)


def test_a_block_in_a_list_loses_its_indentation():
    (block,) = blocks_of("* item\n\n  ```console\n  $ ls\n    a\n  ```\n")
    assert block.text == "$ ls\n  a\n"


def test_a_longer_fence_may_hold_a_shorter_one():
    (block,) = blocks_of("````text\n```python\n```\n````\n")
    assert block.text == "```python\n```\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```\nx\n```\n", "unknown language ''"),
        ("```bash\nx\n```\n", "unknown language 'bash'"),
        ("```python run=no\nx\n```\n", "no option run"),
        ("```python\nx\n", "never ends"),
        ("words\n\n    $ ls\n", "code by indentation"),
        ("~~~python\nx\n~~~\n", "tildes"),
    ],
)
def test_what_could_escape_is_refused_with_its_line(text, message):
    with pytest.raises(PageError, match=rf"page\.md:\d: .*{message}"):
        blocks_of(text)


def test_pages_are_found_in_all_folders_but_hidden_ones(tmp_path):
    for name in ("README.md", "docs/a.md", "docs/deep/b.md", ".venv/c.md", "web/node_modules/d.md", "docs/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_pages(tmp_path) == [Path("README.md"), Path("docs/a.md"), Path("docs/deep/b.md")]


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a\nb", "a\nb"),
        ("a\n...", "a\nb\nc"),
        ("...\nc", "a\nb\nc"),
        ("a\n...\nc", "a\nc"),
        ("pid ... runs", "pid 17 runs"),
        ("name  state", "name     state"),
        ("1485188853650944 0.5", "1795355996123456 0.5"),
        ("at 2026-01-01T10:00:00.000000+01:00", "at 2027-03-04T05:06:07.000008+00:00"),
        ("[x] 1+1?", "[x] 1+1?"),
    ],
)
def test_what_is_shown_matches(shown, printed):
    assert matches(shown.splitlines(), printed.splitlines())


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("a", "b"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("", "a"),
        ("3 rows", "4 rows"),
        ("a.c", "abc"),
        ("1485188853650944", "1"),
    ],
)
def test_what_differs_does_not_match(shown, printed):
    assert not matches(shown.splitlines(), printed.splitlines())


def test_numbers_match_any_numbers_where_the_page_says_so():
    assert matches(["3 rows of 1.5e-3"], ["14 rows of -2"], any_numbers=True)
    assert not matches(["3 rows"], ["three rows"], any_numbers=True)


def test_a_part_matches_lines_that_go_on():
    assert matches(["a"], ["a", "b"], is_part=True)
    assert not matches(["a", "b"], ["a"], is_part=True)
