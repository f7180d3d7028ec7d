"""The shipped modules, where module files and composites of every era import them from.

This package alone may look up to `joule.builtins`: nothing in `joule.client` imports it.
"""
