"""A linked pair of accounts without records, and the two hands that tests of records need."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from app.canonical import Record, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.open_systems import open_side
from app.links.pairs import Pair
from app.records.store import CreateIntent, remember
from app.runtime import Runtime
from app.sandbox.seeds import SeedWorld, size
from tests.features.conftest import Linked, Twins
from tests.worlds import BEGIN

ADDRESS = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}


@pytest.fixture
def world() -> SeedWorld:
    return size(0, 1, today=BEGIN.date())


@dataclass
class Hands:
    """Play people on both sides, and read as the service does."""

    twins: Twins
    runtime: Runtime
    linked: Linked

    async def in_time(self, name: str = "Bakken AS", **more: Any) -> Record:
        body = {
            "name": name, "kind": "company", "email": "post@bakken.no", "phone": "22000000",
            "address": ADDRESS,
        } | more  # fmt: skip
        made = await self.twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)
        return await self.read(Side.TIME, str(made["id"]))

    async def in_books(self, name: str = "Bakken AS", **more: Any) -> Record:
        body = {
            "name": name, "customerType": "ORGANIZATION", "emailAddress": "post@bakken.no",
            "phoneNo": "22000000", "customerAddressLine1": "Storgata 1",
            "customerAddressPostcode": "0155", "customerAddressCity": "Oslo",
            "customerAddressCountry": "Norge",
        } | more  # fmt: skip
        made = await self.twins.control("conta", "POST", "/organizations/1001/customers", body)
        return await self.read(Side.BOOKS, str(made["id"]))

    async def read(
        self, side: Side, record_id: str, kind: RecordKind = RecordKind.CUSTOMER
    ) -> Record:
        """Read a record through the port and remember it, as a reading of both sides would."""
        link_id = self.linked.link_id
        keeper = await open_side(self.runtime, link_id, side)
        record = (await keeper.read(kind, RecordId(record_id))).record
        assert record is not None
        async with self.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await remember(session, link_id, side, kind, [record], now=self.runtime.clock())
        return record

    async def fault(self, system: str, **fault: Any) -> None:
        await self.twins.control(system, "POST", "/faults", fault)

    async def names(self, system: str) -> list[str]:
        state = await (self.twins.books() if system == "conta" else self.twins.time())
        return sorted(record["name"] for record in state["customers"])

    async def pairs(self) -> list[Pair]:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return list((await session.scalars(select(Pair))).all())

    async def intent(self) -> CreateIntent:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return (await session.scalars(select(CreateIntent))).one()


@pytest.fixture
def hands(twins: Twins, runtime: Runtime, linked: Linked) -> Iterator[Hands]:
    yield Hands(twins, runtime, linked)
    runtime.database._hook = lambda *_: None
