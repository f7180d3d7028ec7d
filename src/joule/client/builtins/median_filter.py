"""`MedianFilter` and its `main`, where other eras have them."""

from joule.builtins.median_filter import MedianFilter, main

__all__ = ["MedianFilter", "main"]

if __name__ == "__main__":
    main()
