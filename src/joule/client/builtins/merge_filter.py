"""`MergeFilter` and its `main`, where other eras have them."""

from joule.builtins.merge_filter import MergeFilter, main

__all__ = ["MergeFilter", "main"]

if __name__ == "__main__":
    main()
