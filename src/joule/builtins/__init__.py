"""Modules that come with Joule: a folder each, with the module, its README, a sample.conf and its test.

Each folder exports the module's class and `main()`, which the command of the same name (`joule-random-reader`, ...)
calls; `python -m joule.builtins.random_reader` does the same where that command is not on the path.
"""
