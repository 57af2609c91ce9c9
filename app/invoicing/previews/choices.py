"""
Remember how a customer, a project or the whole link is billed, and lay a wish over it.

The narrowest scope wins, member by member: what the person asks for now, then the customer's
choice, then the link's. A project's own rounding holds for its hours.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId
from app.invoicing.lines.lines import Grouping, Style
from app.invoicing.lines.rounding import Rounding
from app.invoicing.lines.wish import Wish
from app.invoicing.store import BillingChoice

LINK: Final = "link"


async def read_choices(session: AsyncSession, link_id: LinkId) -> dict[str, BillingChoice]:
    """Read all that was chosen for a link, by scope."""
    rows = await session.scalars(select(BillingChoice).where(BillingChoice.link_id == link_id))
    return {row.scope: row for row in rows}


async def keep_choice(
    session: AsyncSession,
    link_id: LinkId,
    scope: str,
    values: Mapping[str, Any],
    *,
    instead_of: int,
    now: datetime,
) -> int | None:
    """
    Keep what was chosen for a scope in place of what was; gives its version.

    Args:
        instead_of: The version that the person saw, 0 for none. Where another stands meanwhile
            nothing is kept and ``None`` is given.

    """
    statement = insert(BillingChoice).values(
        link_id=link_id, scope=scope, values=dict(values), version=1, updated_at=now
    )
    return await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["link_id", "scope"],
            set_={
                "values": statement.excluded["values"],
                "version": BillingChoice.version + 1,
                "updated_at": now,
            },
            where=BillingChoice.version == instead_of,
        ).returning(BillingChoice.version)
    )


def style_of(
    wish: Wish,
    chosen: Mapping[str, Mapping[str, Any]],
    *,
    default_vat: str,
    customer_name: str,
) -> Style:
    """
    Lay the wish over what was chosen; ``chosen`` holds the values by scope.

    Null in a choice, and what the wish wants built in, end what a wider scope holds.
    """
    wide = {
        **chosen.get(LINK, {}),
        **chosen.get(f"customer:{wish.query.customer_id}", {}),
    }
    held = {
        name: value
        for name, value in wide.items()
        if value is not None and name not in wish.built_in
    }
    asked = Grouping.PROJECT if "grouping" in wish.built_in else wish.grouping
    discount = wish.discount if wish.discount is not None else Decimal(held.get("discount", "0"))
    # A text is written for its grouping, and would say too little or too much of another.
    remembered = held.get("template") if asked in (None, wide.get("grouping")) else None
    own_rounding = wish.rounding is not None or "rounding" in wish.built_in
    return Style(
        grouping=asked or Grouping(held.get("grouping", Grouping.PROJECT)),
        vat_code=wish.vat_code or held.get("vatCode") or default_vat,
        language=wish.language or held.get("language", "nb"),
        template=wish.template or remembered,
        split=bool(held.get("split", False)) if wish.split is None else wish.split,
        discount=discount, rounding=wish.rounding or Rounding.from_json(held.get("rounding")),
        roundings={} if own_rounding else {
            RecordId(scope.removeprefix("project:")): Rounding.from_json(values["rounding"])
            for scope, values in chosen.items()
            if scope.startswith("project:") and "rounding" in values
        },
        edits=wish.edits, texts=wish.texts, order=wish.order, customer_name=customer_name,
    )  # fmt: skip
