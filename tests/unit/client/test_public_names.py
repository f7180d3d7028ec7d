"""The surface that module authors import from: small, pinned, lazy."""

import importlib

import pytest

import joule
import joule.client

NAMES = [
    "BaseModule",
    "CompositeModule",
    "EmptyPipe",
    "EmptyPipeError",
    "FIRFilterModule",
    "FilterModule",
    "InputPipe",
    "JouleError",
    "JoulePipe",
    "LocalNumpyPipe",
    "LocalPipe",
    "NumpyPipe",
    "NumpyPipeError",
    "OutputPipe",
    "Pipe",
    "PipeError",
    "ReaderModule",
    "__version__",
    "time_now",
    "yesno",
]


def test_the_names_of_joule_are_these_and_each_resolves():
    assert joule.__all__ == NAMES == sorted(NAMES)
    for name in NAMES:
        assert getattr(joule, name) is not None
        assert name in dir(joule)


def test_the_names_of_joule_client_are_these_and_each_resolves():
    names = ["BaseModule", "CompositeModule", "FIRFilterModule", "FilterModule", "ReaderModule", "yesno"]
    assert joule.client.__all__ == names
    for name in names:
        assert getattr(joule.client, name) is not None


@pytest.mark.parametrize("package", [joule, joule.client])
def test_a_name_that_is_not_there_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = package.Nothing


@pytest.mark.parametrize("name", ["ReaderModule", "FilterModule", "CompositeModule", "FIRFilterModule"])
def test_the_import_line_decides_the_shape_of_one_element_rows(name):
    seed, newer = getattr(joule, name), getattr(joule.client, name)
    assert issubclass(newer, seed)
    assert newer is not seed
    assert (seed.column_data, newer.column_data) == (False, True)


def test_the_newer_fir_filter_is_a_newer_filter():
    assert issubclass(joule.client.FIRFilterModule, joule.client.FilterModule)


@pytest.mark.parametrize(
    ("module", "name", "folder"),
    [
        ("random_reader", "RandomReader", "random_reader"),
        ("file_reader", "FileReader", "file_reader"),
        ("mean_filter", "MeanFilter", "mean_filter"),
        ("median_filter", "MedianFilter", "median_filter"),
        ("merge_filter", "MergeFilter", "merge_filter"),
        ("visualizer", "Visualizer", "visualizer_filter"),
    ],
)
def test_the_shipped_modules_are_where_other_eras_have_them(module, name, folder):
    there = importlib.import_module(f"joule.client.builtins.{module}")
    here = importlib.import_module(f"joule.builtins.{folder}")
    assert getattr(there, name) is getattr(here, name)
    assert there.main is here.main


def test_names_of_earlier_eras_are_the_same_classes():
    assert joule.EmptyPipe is joule.EmptyPipeError
    assert joule.NumpyPipeError is joule.PipeError
    assert joule.NumpyPipe is joule.JoulePipe is joule.Pipe
