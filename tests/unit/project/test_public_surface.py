"""Every public package says what it offers, and offers it. (That the lists are sorted is checked with the style.)"""

from __future__ import annotations

import importlib

import pytest

PACKAGES = [
    *("core", "log", "pipes", "catalog", "config", "client", "api", "server", "daemon", "testing", "errors"),
    *("models", "models.pipes", "utilities", "utilities.interval_tools", "utilities.misc", "utilities.time"),
    *("utils.time", "utils.localnumpypipe", "utils.numpypipe", "core.data_stream"),
    *("client.base_module", "client.reader_module", "client.filter_module", "client.composite_module"),
    "client.fir_filter_module",
]


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_package_says_it_offers_is_there_and_described(name):
    package = importlib.import_module(f"joule.{name}")
    assert len(set(package.__all__)) == len(package.__all__)
    for offered in package.__all__:
        assert getattr(package, offered) is not None
    assert package.__doc__
