"""Measures what Joule promises in figures, side by side with peers, in one run: `make bench`.

Machines differ and are shared, so what counts are ratios of medians of alternating rounds; absolute figures stand
beside them. The table goes to `docs/benchmarks.md`. A benchmark is no test: it reports, and passes or fails nothing.
"""
