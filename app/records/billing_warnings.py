"""Say what should be known of a customer before hours are billed to it."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, RecordId, RecordKind, Side
from app.records.businesses import recall_businesses
from app.records.matching.identifiers import organization_digits
from app.records.readiness import gap_texts, warnings
from app.records.store import recall


async def billing_warnings(
    session: AsyncSession, link_id: LinkId, side: Side, customer_id: RecordId
) -> tuple[str, ...]:
    """
    Name what the business register says against billing a customer, the gravest first.

    ``customer-struck-off``, ``customer-bankrupt``, ``customer-in-liquidation``; empty where all is
    well, the register was never asked, or the customer has no number. Makes no call.
    """
    rows = await recall(session, link_id, side, RecordKind.CUSTOMER, [customer_id])
    number = organization_digits(rows[0].number) if rows else ""
    business = (await recall_businesses(session, [number])).get(number)
    return warnings(business) if business is not None else ()


def say_warning(code: str, language: str) -> Mapping[str, str]:
    """Give a warning's text and remedy in nb, nn or en."""
    texts = gap_texts()[code]
    return {name: texts[name].get(language) or texts[name]["nb"] for name in ("text", "remedy")}
