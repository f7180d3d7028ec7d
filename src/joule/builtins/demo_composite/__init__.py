"""A composite: a random reader and a mean filter in one process."""

from joule.builtins.demo_composite._composite import DemoComposite, main

__all__ = ["DemoComposite", "main"]
