"""`Visualizer` and its `main`, where other eras have them."""

from joule.builtins.visualizer_filter import Visualizer, main

__all__ = ["Visualizer", "main"]

if __name__ == "__main__":
    main()
