"""What tests of modules and of pipes need, shipped with the library; nothing at run time imports it.

`TestCase` is the class of the seed page's unit tests; `from joule.testing import asynctest` is its old name.
`PipeConformance` is every behavioural test of a pipe: a new kind inherits them (docs/reference/pipes.md).
"""

from joule.testing import asynctest
from joule.testing._pipe_conformance import PipeConformance
from joule.testing._pipe_kind import PipeKind
from joule.testing._test_case import TestCase

__all__ = ["PipeConformance", "PipeKind", "TestCase", "asynctest"]
