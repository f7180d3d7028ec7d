"""Module files in the style of each era, run as their users ran them."""

from tests.requirements.conftest import programs
from tests.system.conftest import kit

__all__ = ["kit", "programs"]
