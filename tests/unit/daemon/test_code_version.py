"""Which code a command runs, read from real git repositories and real installations."""

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from joule.daemon._code_version import find_code_version

BIN = Path(sys.executable).parent
git = pytest.mark.needs("git")


def run_git(directory, *arguments):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(directory), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    directory = tmp_path / "repository"
    (directory / "sub dir").mkdir(parents=True)
    (directory / "sub dir" / "reader.py").write_text("print(1)\n")
    run_git(directory, "init", "-q", "-b", "main")
    run_git(directory, "add", ".")
    run_git(directory, "commit", "-qm", "first")
    return directory


def version(directory, script="sub dir/reader.py"):
    return find_code_version([sys.executable, "-u", script, "--rate", "3"], directory).version


@git
def test_a_script_has_the_commit_of_its_repository_and_the_hash_of_its_file(repository):
    found = find_code_version([sys.executable, "sub dir/reader.py"], repository)
    assert found.version == f"git {run_git(repository, 'rev-parse', 'HEAD')[:12]}"
    assert found.script == str(repository / "sub dir" / "reader.py")
    assert found.sha256 == hashlib.sha256(b"print(1)\n").hexdigest()
    assert found.python == platform.python_version()


@git
def test_a_changed_script_and_a_new_one_are_said_to_be_so(repository):
    commit = version(repository)
    (repository / "sub dir" / "reader.py").write_text("print(22)\n")
    (repository / "new.py").write_text("")
    assert version(repository) == f"{commit}, modified"
    assert version(repository, "new.py") == f"{commit}, not in git"
    run_git(repository, "commit", "-qam", "second")
    assert version(repository) == f"git {run_git(repository, 'rev-parse', 'HEAD')[:12]}" != commit


@git
def test_packed_references_detached_heads_and_further_work_trees_are_read(repository, tmp_path):
    head = f"git {run_git(repository, 'rev-parse', 'HEAD')[:12]}"
    run_git(repository, "pack-refs", "--all")
    assert version(repository) == head
    run_git(repository, "worktree", "add", "-q", "-b", "other", str(tmp_path / "other"))
    assert version(tmp_path / "other") == head
    run_git(repository, "checkout", "-q", "--detach")
    assert version(repository) == head


@git
def test_a_repository_without_a_commit_tells_nothing(tmp_path):
    run_git(tmp_path, "init", "-q")
    (tmp_path / "reader.py").write_text("")
    assert version(tmp_path, "reader.py") == ""


def test_a_damaged_repository_tells_nothing_and_the_hash_stays(tmp_path):
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    (tmp_path / "reader.py").write_text("x")
    found = find_code_version([sys.executable, "reader.py"], tmp_path)
    assert (found.version, found.sha256) == ("", hashlib.sha256(b"x").hexdigest())


def test_an_installed_command_and_a_package_have_the_version_of_their_distribution(tmp_path):
    from importlib.metadata import version

    assert find_code_version([str(BIN / "pytest")], tmp_path).version == f"pytest {version('pytest')}"
    found = find_code_version([sys.executable, "-X", "dev", "-m", "pytest.something"], tmp_path)
    assert (found.version, found.script) == (f"pytest {version('pytest')}", "")


@git
def test_an_editable_installation_has_the_commit_of_its_source_too(repository, tmp_path):
    places = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "mine-1.2.dist-info"
    places.mkdir(parents=True)
    (places / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.2\n")
    (places / "entry_points.txt").write_text("[console_scripts]\nmine-reader = mine.reader:main\n")
    (places / "direct_url.json").write_text(f'{{"url": "{repository.as_uri()}", "dir_info": {{"editable": true}}}}')
    program = tmp_path / "env" / "bin" / "mine-reader"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n")
    commit = run_git(repository, "rev-parse", "HEAD")[:12]
    assert find_code_version([str(program)], tmp_path).version == f"mine 1.2, git {commit}"


@pytest.mark.parametrize("command", [["/nowhere/program"], [sys.executable], [sys.executable, "-c", "1"], ["/bin/sh"]])
def test_what_is_not_known_is_empty(command, tmp_path):
    assert find_code_version(command, tmp_path).version == ""


def test_the_python_of_another_environment_is_told_by_its_settings(tmp_path):
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\nversion = 3.99.1\n")
    (tmp_path / "reader.py").write_text("")
    assert find_code_version([str(python), "reader.py"], tmp_path).python == "3.99.1"
