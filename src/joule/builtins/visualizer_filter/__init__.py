"""A module that shows the newest values of its inputs on a web page."""

from joule.builtins.visualizer_filter._visualizer import Visualizer, main

__all__ = ["Visualizer", "main"]
