"""A `type=` for yes-or-no arguments of modules."""

from __future__ import annotations

__all__ = ["yesno"]


def yesno(text: str | None) -> bool:
    """Return True for "yes" and False for "no", in any case and with blanks around.

    Use it as an argparse type: `parser.add_argument("--flag", type=joule.yesno)`.

    Raises:
        ValueError: Anything else, None and the empty text included.
    """
    answers = {"yes": True, "no": False}
    answer = answers.get(text.strip().lower()) if isinstance(text, str) else None
    if answer is None:
        raise ValueError("must be 'yes' or 'no'")
    return answer
