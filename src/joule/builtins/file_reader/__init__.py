"""A reader of text files, named pipes and serial devices: each line becomes a row."""

from joule.builtins.file_reader._reader import FileReader, main

__all__ = ["FileReader", "main"]
