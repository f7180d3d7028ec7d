"""`FileReader` and its `main`, where other eras have them."""

from joule.builtins.file_reader import FileReader, main

__all__ = ["FileReader", "main"]

if __name__ == "__main__":
    main()
