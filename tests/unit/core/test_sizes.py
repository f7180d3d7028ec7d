"""Sizes as configurations write them."""

import pytest

from joule.core import format_size, parse_size
from joule.errors import BadSizeError


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("500 MB", 500_000_000), ("1.5gb", 1_500_000_000), ("64 MiB", 64 * 2**20), ("7 B", 7), ("0.1 kB", 100)],
)
def test_a_size_is_a_number_with_a_unit(text, size_bytes):
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["500", "", "MB", "-1 MB", "1e3 MB", "1,5 GB", "5 MBit", "9" * 200 + " B"])
def test_what_is_no_size_says_how_to_write_one(text):
    with pytest.raises(BadSizeError, match="500 MB"):
        parse_size(text)


@pytest.mark.parametrize("size_bytes", [0, 999, 1000, 1_500_000, 2_000_000_000])
def test_a_shown_size_reads_back(size_bytes):
    assert parse_size(format_size(size_bytes)) == size_bytes
