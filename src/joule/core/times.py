"""Points in time, as people write them and as streams count them.

Streams count whole Unix microseconds. People write ISO dates, ages ("2 hours ago"), days ("yesterday 08:00"), and copy
timestamps out of printed rows. A time without a zone is local time; what is printed always carries its offset. The
frequent forms are read here, by calendar rules that hold when clocks change; only what is left goes to the dateparser
library, which is loaded then and not before.
"""

from __future__ import annotations

import datetime as dt
import re
import warnings

from joule.core.clock import time_now
from joule.core.durations import parse_duration
from joule.errors import BadDurationError, BadTimeError

__all__ = ["format_time", "parse_time"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_MAX_US = 2**63 - 1
_DIGITS = re.compile(r"-?\d+", re.ASCII)
_DAY = re.compile(r"(today|yesterday|tomorrow)(?:[ ,]+(?:at +)?(\d\d?:\d\d(?::\d\d(?:\.\d{1,6})?)?))?", re.ASCII)
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_AGE = re.compile(r"((?:\d+(?:\.\d+)? *(?:h|hours?|min|minutes?|s|sec|seconds?)(?: and |[ ,])*)+)ago", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def parse_time(text: str, now_us: int | None = None) -> int:
    """Return the point in time that a text names.

    Args:
        text: ISO 8601, with or without a zone; Unix microseconds (any text of digits alone); `now`; an age such as
            `2 hours ago`; `today`, `yesterday` or `tomorrow`, alone (midnight) or with a time of day; or what
            dateparser understands in English, the past preferred (`Monday`, `08:00`). Without a zone it is local time:
            of an hour that clocks repeat, the first; in an hour that they skip, as if they had not been changed yet.
        now_us: The present, in us, for relative texts; the clock's when None.

    Returns:
        Unix microseconds.

    Raises:
        BadTimeError: The text names no time, or one that streams cannot count.
    """
    words = text.strip()
    if _DIGITS.fullmatch(words):
        return _checked(int(words) if len(words) <= 20 else _MAX_US + 1, text)
    now_us = time_now() if now_us is None else now_us
    lower = words.lower()
    if lower == "now":
        return now_us
    age = _age_us(lower)
    if age is not None:
        return _checked(now_us - age, text)
    try:
        moment = _day(lower, now_us) or _iso(words) or _free(words, now_us)
        return _to_us(moment)
    except (ValueError, OverflowError, OSError) as error:
        raise BadTimeError(text) from error


def format_time(timestamp_us: int) -> str:
    """Return a timestamp as local ISO 8601 text with microseconds and offset; `parse_time` gives it back exactly.

    A timestamp outside the calendar's years 1 to 9999 stays digits.
    """
    try:
        moment = (_EPOCH + dt.timedelta(microseconds=timestamp_us)).astimezone()
    except (ValueError, OverflowError, OSError):
        return str(timestamp_us)
    return moment.isoformat(timespec="microseconds")


def _checked(timestamp_us: int, text: str) -> int:
    if not -_MAX_US <= timestamp_us <= _MAX_US:
        raise BadTimeError(text)
    return timestamp_us


def _to_us(moment: dt.datetime) -> int:
    if moment.tzinfo is None:
        # timestamp() resolves skipped and repeated hours; whole seconds keep its float exact.
        return int(moment.replace(microsecond=0).timestamp()) * 1_000_000 + moment.microsecond
    return (moment.astimezone(dt.UTC) - _EPOCH) // _MICROSECOND


def _age_us(lower: str) -> int | None:
    """Return the age that `... ago` names, in us; None for ages in days and more, and for other texts.

    Hours and shorter are elapsed time: counted on the wall clock they would be wrong by an hour when clocks change.
    """
    match = _AGE.fullmatch(lower)
    try:
        return parse_duration(match[1].replace(" and ", " ")) if match else None
    except BadDurationError:  # longer than streams can count
        return None


def _local(now_us: int) -> dt.datetime:
    return (_EPOCH + dt.timedelta(microseconds=now_us)).astimezone().replace(tzinfo=None)


def _day(lower: str, now_us: int) -> dt.datetime | None:
    match = _DAY.fullmatch(lower)
    if match is None:
        return None
    day = _local(now_us).date() + dt.timedelta(days=_DAYS[match[1]])
    clock = match[2] or "00:00"
    return dt.datetime.combine(day, dt.time.fromisoformat(clock.zfill(5) if len(clock) < 5 else clock))


def _iso(words: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(words)
    except ValueError:
        if _ISO_DATE.match(words):
            dt.date.fromisoformat(words[:10])  # a date that does not exist is refused, not read in another order
        return None


def _free(words: str, now_us: int) -> dt.datetime:
    if len(words) < 3:  # dateparser takes `a` for a month
        raise ValueError(words)
    import dateparser  # here: 0.2 s and 20 MB that a module process must not pay

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about its own use of strptime and of regular expressions
        moment = dateparser.parse(
            words,
            languages=["en"],
            settings={
                "RELATIVE_BASE": _local(now_us),
                "PREFER_DATES_FROM": "past",
                "DATE_ORDER": "YMD",
            },
        )
    if moment is None:
        raise ValueError(words)
    return moment
