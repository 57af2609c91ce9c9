"""Name what the matching can find out about a line of a plan; pure."""

from enum import StrEnum


class Category(StrEnum):
    """
    Name what the matching found out about a line.

    ``archived`` is what is out of use on its own side and like nobody on the other.
    ``asked_again`` is what a person answered or was shown before and that does not hold any more.
    ``left_out`` and ``not_ready`` are seen when a line is read: a person decides the one, a record
    can become ready at any time.
    """

    CERTAIN = "certain"
    LIKELY = "likely"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    ASKED_AGAIN = "asked_again"
    ONLY_TIME = "only_time"
    ONLY_BOOKS = "only_books"
    ARCHIVED = "archived"
    NOT_READY = "not_ready"
    LEFT_OUT = "left_out"
