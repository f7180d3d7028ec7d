"""The processes that a measurement starts: small programs, each run with `python -m` and answering with JSON lines."""
