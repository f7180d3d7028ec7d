"""What /proc says."""

import os
import subprocess
import sys

from joule.daemon._process_table import MARK_VARIABLE, boot_id, process_info, processes, read_mark


def test_this_process_is_there():
    info = process_info(os.getpid())
    assert info.pid == os.getpid()
    assert info.group == os.getpgrp()
    assert info.memory_bytes > 1_000_000
    assert info.cpu_s > 0
    assert info.start_ticks > 0
    assert os.getpid() in [process.pid for process in processes()]


def test_a_zombie_counts_as_gone():
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process_info(child.pid) is None
    child.wait()
    assert process_info(child.pid) is None


def test_a_program_name_with_brackets_and_blanks_is_read(tmp_path):
    program = tmp_path / "odd) (name"
    program.symlink_to(sys.executable)
    child = subprocess.Popen(
        [program, "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()
    assert process_info(child.pid).pid == child.pid
    child.communicate()


def test_a_mark_is_found_in_the_environment():
    child = subprocess.Popen(
        ["sh", "-c", "echo; read x"],
        env={**os.environ, MARK_VARIABLE: "1:2:näme"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()
    assert read_mark(child.pid) == "1:2:näme"
    child.communicate()
    assert read_mark(child.pid) is None


def test_the_boot_has_a_name():
    assert len(boot_id()) == 36
