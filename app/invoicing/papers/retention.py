"""Say how long what a draft was billed by is kept, and from when it may go; pure."""

from datetime import date
from typing import Final

LEAST_YEARS: Final = 5
"""Bookkeeping act § 13: five years after the end of the accounting year."""


def kept_until(made: date, *, years: int = LEAST_YEARS) -> date:
    """Give the last day on which what was made on a day is kept; the year is the calendar's."""
    return date(made.year + years, 12, 31)


def kept_from(today: date, *, years: int = LEAST_YEARS) -> date:
    """Give the first day whose papers are still kept today; what is older may go."""
    return date(today.year - years, 1, 1)
