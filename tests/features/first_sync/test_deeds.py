"""What a line comes to is said once in Python and once in SQL; both say the same."""

from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from uuid_utils.compat import uuid7

from app.canonical import Customer, LinkId, RecordId, RecordKind, Side
from app.database import CommitPoint, Database
from app.first_sync.plan.categories import Category
from app.first_sync.plan.deeds import ANCHOR, DEED, HINDERED, SHOWN_CATEGORY, deed_of, partner_of
from app.first_sync.store import Proposal
from app.records.store import remember

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
STORED = [
    one for one in Category if one not in (Category.NOT_READY, Category.LEFT_OUT)
]  # fmt: skip


def line(link_id: LinkId, category: Category, side: Side, answer: str | None) -> Proposal:
    certain = [{"id": "9", "rule": "r", "facts": [], "score": 1}]
    return Proposal(
        link_id=link_id, proposal_id=uuid7(), plan_id=UUID(int=1), kind="customer",
        category=category.value, anchor_side=side.value, anchor_id="1", name="Bakken",
        candidates=certain if category is Category.CERTAIN else [], siblings=[], score=1,
        print="p", answer=answer, partner_id="9" if answer == "link" else None, winners={},
        answered_by=None, answered_at=None, dormant=False, version=1, outcome=None,
        outcome_code=None, outcome_facts={}, not_before=None, words="", undo=None,
        undo_code=None, undo_facts={},
    )  # fmt: skip


@pytest.mark.parametrize("out", [(), ("1",), ("9",), ("1", "9")])
@pytest.mark.parametrize("ready", [True, False])
async def test_sql_and_python_agree(
    database: Database, link_id: LinkId, *, ready: bool, out: tuple[str, ...]
) -> None:
    """
    Over all categories, sides and answers, a line has one deed; a link is never left to wait.

    A person may have left its own record out (1), or its certain partner (9).
    """
    said: dict[str, Any] = {}
    counted: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    for category, side, answer in product(STORED, Side, (None, "link", "create", "leave_out")):
        row = line(link_id, category, side, answer)
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            record = Customer(RecordId("1"), "Bakken")
            await remember(session, link_id, side, RecordKind.CUSTOMER, [record], now=NOW)
            partner = Customer(RecordId("9"), "Bakken")
            await remember(session, link_id, side.other, RecordKind.CUSTOMER, [partner], now=NOW)
            await session.execute(
                text("UPDATE records SET ready = :ready, left_out = record_id = ANY(:out)"),
                {"ready": ready, "out": list(out)},
            )
            session.add(row)
            await session.flush()
            found, in_lists = [
                (
                    await session.execute(
                        text(
                            f"SELECT {DEED} AS deed, {SHOWN_CATEGORY} AS shown"
                            f" FROM proposals p {joined}"
                        )
                    )
                ).one()
                for joined in (ANCHOR, HINDERED)
            ]
            await session.execute(text("DELETE FROM proposals"))
            await session.execute(text("DELETE FROM records"))
        key = f"{category} {side} {answer}"
        left_out = "1" in out or (row.answer is None and partner_of(row) in out)
        said[key] = deed_of(row, ready=ready, left_out=left_out).value
        counted[key], shown[key] = found.deed, found.shown
        assert tuple(in_lists) == tuple(found), key

    assert counted == said
    waits = {key for key, deed in said.items() if deed == "wait"}
    assert waits == {key for key, category in shown.items() if category == "not_ready"}
