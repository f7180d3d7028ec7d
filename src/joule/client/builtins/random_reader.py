"""`RandomReader` and its `main`, where other eras have them."""

from joule.builtins.random_reader import RandomReader, main

__all__ = ["RandomReader", "main"]

if __name__ == "__main__":
    main()
