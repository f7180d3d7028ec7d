"""The harness itself: that it runs what a page shows, and that a wrong page fails."""

from pathlib import Path

import pytest

from .markdown import PageError, parse_blocks
from .test_pages import run_page

pytestmark = pytest.mark.timeout(60)


def run(tmp_path, text):
    run_page(parse_blocks(text, Path("page.md")), tmp_path)


def console(text, options=""):
    return f"```console {options}\n{text}\n```\n"


COUNTER = """\
```python file=counter.py
import time
number = 0
while True:
    print(number, flush=True)
    number += 1
    time.sleep(0.01)
```
"""
DEAF = (
    "import signal, time\nsignal.signal(signal.SIGINT, lambda *_: exit(0))\nprint('ready', flush=True)\ntime.sleep(60)"
)
SERVER = f"```python file=server.py\n{DEAF}\n```\n"


def test_directory_and_environment_last_from_block_to_block(tmp_path):
    run(tmp_path, console("$ mkdir a && cd a\n$ export X=1") + console('$ echo "$X" $(basename $PWD)\n1 a'))


def test_the_home_directory_is_empty_and_the_joule_under_test_is_on_the_path(tmp_path):
    run(tmp_path, console("$ ls ~\n$ joule --version\njoule ..."))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (console("$ echo 1\n2"), "echo 1.* is shown as\n2\nand printed\n1"),
        (console("$ false"), "ended with 1, not 0"),
        (console("$ true", "exit=1"), "ended with 0, not 1"),
        (console("echo 1"), "begins with a command"),
        ("```python\nraise ValueError\n```\n", "ValueError"),
        ("```python file=a.py\nx = 1\n```\n", "nothing on this page runs a.py"),
        ("```json\n{\n```\n", "Expecting property name"),
        ("```ini\n[Main]\n```\n", "needs a name"),
        (console("$ sleep 60 < /dev/null > /dev/null 2>&1 &"), "leaves processes behind"),
    ],
)
def test_a_wrong_page_fails(tmp_path, text, message):
    with pytest.raises((PageError, ValueError), match=message):
        run(tmp_path, text)


def test_python_runs_in_an_interpreter_of_its_own(tmp_path):
    run(
        tmp_path,
        "```python\nopen('made', 'w').close()\nassert __name__ == '__main__'\n```\n" + console("$ ls made\nmade"),
    )


def test_a_program_that_never_ends_is_interrupted_after_the_lines_shown(tmp_path):
    run(
        tmp_path, COUNTER + console("$ python3 counter.py\n0\n1\n^C\nTraceback ...\n...\nKeyboardInterrupt", "exit=130")
    )


def test_what_runs_in_the_background_is_there_for_later_blocks(tmp_path):
    run(tmp_path, SERVER + console("$ python3 server.py\nready", "background") + console("$ echo 1\n1"))


def test_what_ends_at_once_is_no_background(tmp_path):
    with pytest.raises(PageError, match="does not run in the background"):
        run(tmp_path, console("$ echo ready\nready", "background") + console("$ sleep 1"))


def test_configuration_is_checked(tmp_path):
    node = console("$ joule init node\n...")
    good = "```ini file=node/main.conf\n[Main]\nName = bench\n```\n"
    faulty = "```ini file=node/module_configs/a.conf\n[Main]\nname = a\n```\n"
    run(tmp_path, node + good)
    (tmp_path / "again").mkdir()
    with pytest.raises(PageError, match=r"page\.md:\d+: .*joule check.* ended with 1"):
        run(tmp_path / "again", node + faulty)
