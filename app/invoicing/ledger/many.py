"""Compare a column with many ids at once."""

from collections.abc import Iterable

from sqlalchemy import ARRAY, ColumnElement, String, any_, cast
from sqlalchemy.orm import InstrumentedAttribute


def one_of(column: InstrumentedAttribute[str], ids: Iterable[str]) -> ColumnElement[bool]:
    """Compare with one array: 5,000 parameters of their own cost a fifth of a second a query."""
    return column == any_(cast(list(ids), ARRAY(String)))
