"""`MeanFilter` and its `main`, where other eras have them."""

from joule.builtins.mean_filter import MeanFilter, main

__all__ = ["MeanFilter", "main"]

if __name__ == "__main__":
    main()
