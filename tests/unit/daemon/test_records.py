"""Records of module processes: only the very process that was recorded counts."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from joule.daemon._child import Child
from joule.daemon._records import ModuleRecords


@pytest.fixture
async def child():
    child = Child(["sleep", "60"])
    yield child
    os.kill(child.pid, 9)
    await child.wait()
    child.reap()


def path_of(records, module):
    return records._path(module)


async def test_a_living_process_is_found(records, child):
    records.write("a/b reader", child.pid, child.start_ticks)
    assert records.living_groups() == {child.pid}
    records.remove("a/b reader")
    assert records.living_groups() == frozenset()


async def test_a_number_given_to_another_process_does_not_count(records, child):
    records.write("reader", child.pid, child.start_ticks + 1)
    assert records.living_groups() == frozenset()


async def test_a_record_of_another_boot_does_not_count(records, child):
    records.write("reader", child.pid, child.start_ticks)
    path = path_of(records, "reader")
    path.write_text(json.dumps({**json.loads(path.read_text()), "boot_id": "another"}))
    assert records.living_groups() == frozenset()


async def test_a_copy_of_a_nodes_directory_has_no_processes(records, child, tmp_path):
    records.write("reader", child.pid, child.start_ticks)
    shutil.copytree(records._directory, tmp_path / "copy")
    assert ModuleRecords(tmp_path / "copy").living_groups() == frozenset()
    assert records.living_groups() == {child.pid}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', '{"pid": null, "start_ticks": 1, "boot_id": ""}'])
def test_a_damaged_record_is_passed_over(records, text, caplog):
    path_of(records, "reader").write_text(text)
    assert records.living_groups() == frozenset()
    assert "no record" in caplog.text


def test_our_own_group_is_never_a_module(tmp_path):
    program = (
        "import os, sys; from pathlib import Path\n"
        "from joule.daemon._records import ModuleRecords\n"
        "from joule.daemon._process_table import process_info\n"
        "records = ModuleRecords(Path(sys.argv[1]))\n"
        "records.write('reader', os.getpid(), process_info(os.getpid()).start_ticks)\n"
        "print(records.living_groups())"
    )
    command = [sys.executable, "-c", program, tmp_path]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    assert answer.stdout == "frozenset()\n"


def test_a_process_that_has_ended_does_not_count(records):
    ended = subprocess.Popen(["true"])
    ended.wait()
    records.write("reader", ended.pid, 1)
    assert records.living_groups() == frozenset()


def test_a_disk_that_refuses_a_record_costs_only_the_record(tmp_path, records, caplog):
    (tmp_path / "records").rmdir()
    records.write("reader", 1, 1)
    records.remove("reader")
    assert "cannot be recorded" in caplog.text
