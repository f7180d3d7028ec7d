"""What tests of modules need, shipped with the library; nothing at run time imports it.

`TestCase` is the class of the seed page's unit tests; `from joule.testing import asynctest` is its old name.
"""

from joule.testing import asynctest
from joule.testing._test_case import TestCase

__all__ = ["TestCase", "asynctest"]
