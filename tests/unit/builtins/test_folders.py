"""The shipped modules are alike: the same files in each folder, a sample that works, a README that names everything."""

import argparse
import importlib
import re
import shutil
import tomllib
from pathlib import Path

import pytest

import joule.builtins
from joule.config import init_node, load_node

ROOT = Path(joule.builtins.__file__).parent
FOLDERS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
PROJECT = Path(__file__).parents[3] / "pyproject.toml"
SCRIPTS = tomllib.loads(PROJECT.read_text())["project"]["scripts"]
# Whose samples write what the sample of a filter reads.
SAMPLE_PRODUCERS = {
    "mean_filter": ["random_reader"],
    "median_filter": ["random_reader"],
    "merge_filter": ["random_reader", "mean_filter"],
    "visualizer_filter": ["random_reader"],
}

pytestmark = pytest.mark.parametrize("folder", FOLDERS)


def options(folder):
    package = importlib.import_module(f"joule.builtins.{folder}")
    (module,) = [item for name, item in vars(package).items() if name in package.__all__ and hasattr(item, "start")]
    parser = argparse.ArgumentParser(add_help=False)
    module().custom_args(parser)
    return [name for action in parser._actions for name in action.option_strings]


def test_a_folder_has_a_readme_a_sample_a_test_and_a_program(folder):
    package = importlib.import_module(f"joule.builtins.{folder}")
    assert callable(package.main)
    for name in ("README.md", "sample.conf", f"test_{folder}.py", "__main__.py"):
        assert (ROOT / folder / name).is_file(), name


def test_a_folder_s_program_has_its_name(folder):
    if folder.startswith("demo_"):  # that belongs to the demonstration node, which calls it by its module
        return
    assert SCRIPTS[f"joule-{folder.replace('_', '-')}"] == f"joule.builtins.{folder}:main"


def test_the_readme_describes_every_argument_and_no_other(folder):
    text = (ROOT / folder / "README.md").read_text()
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `-")]
    described = [name for cell in cells for name in re.findall("`(-[^`]*)`", cell)]
    assert sorted(described) == sorted(options(folder))


def test_the_sample_is_a_module_file_without_a_fault(folder, tmp_path, monkeypatch):
    for name in SCRIPTS:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    init_node(tmp_path / "node")
    modules = tmp_path / "node" / "module_configs"
    shutil.copy(ROOT / folder / "sample.conf", modules / f"{folder}.conf")
    for producer in SAMPLE_PRODUCERS.get(folder, []):
        shutil.copy(ROOT / producer / "sample.conf", modules / f"{producer}.conf")
    setup = load_node(tmp_path / "node")
    assert [str(fault) for fault in setup.faults] == []
    assert setup.modules


def test_the_sample_sets_arguments_that_the_module_takes(folder, tmp_path):
    init_node(tmp_path / "node")
    shutil.copy(ROOT / folder / "sample.conf", tmp_path / "node" / "module_configs" / "sample.conf")
    for module in load_node(tmp_path / "node").modules:
        assert {f"--{key}" for key, _ in module.arguments} <= set(options(folder))
