"""Each of the contract's requirements R1 to R72 has a test that carries its number."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
REQUIREMENTS = range(1, 73)


def test_every_requirement_has_a_test_with_its_number():
    numbers = {
        int(number)
        for file in TESTS.rglob("test_*.py")
        for number in re.findall(r"^(?:async )?def test_r(\d+)_", file.read_text(), re.MULTILINE)
    }
    assert sorted(set(REQUIREMENTS) - numbers) == [], "requirements without a test"
    assert sorted(numbers - set(REQUIREMENTS)) == [], "tests of requirements that there are not"
