"""A reader of random numbers: something to look at, and to test with, before there is a sensor."""

from joule.builtins.random_reader._reader import RandomReader, main

__all__ = ["RandomReader", "main"]
