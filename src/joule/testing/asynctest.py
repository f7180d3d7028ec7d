"""The seed page's `asynctest.TestCase`: change `import asynctest` to `from joule.testing import asynctest`."""

from joule.testing._test_case import TestCase

__all__ = ["TestCase"]
