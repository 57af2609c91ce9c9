"""Say for the log where an exception came by, without what it says."""

import traceback
from typing import Final

_STEPS: Final = 6


def trail_of(error: BaseException) -> str:
    """
    Give the last six places an exception came by, the nearest to its cause last.

    Its text stays out: it may quote a person's data. So do the values at those places and the
    exceptions it came from.
    """
    return "".join(traceback.format_tb(error.__traceback__, limit=-_STEPS))
