"""A linked pair of accounts without records, and hands that play people on both sides."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app.canonical import RecordId, RecordKind, Side
from app.changes.store import Change, note
from app.database import CommitPoint
from app.links.identity import credential_identity
from app.links.open_systems import open_side
from app.links.pairs import Pair, make_pair
from app.links.store import Credential
from app.queue import Job, defer
from app.records.fields import customer_fields, project_fields
from app.runtime import Runtime
from app.sandbox.seeds import SeedWorld, size
from app.systems.ports import ChangeNotice
from app.vault import Vault
from tests.features.conftest import Linked, Twins
from tests.worlds import BEGIN, Keeper

ADDRESS = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo", "country": "NO"}


@pytest.fixture
def world() -> SeedWorld:
    return size(0, 1, today=BEGIN.date())


@dataclass
class Hands:
    """Play people on both sides, and look into our rows."""

    twins: Twins
    runtime: Runtime
    linked: Linked
    work: Callable[[], Awaitable[int]]

    async def time_customer(self, name: str = "Bakken AS", **more: Any) -> str:
        body = {
            "name": name, "kind": "company", "organizationNumber": None, "email": "post@bakken.no",
            "phone": "22000000", "address": ADDRESS,
        } | more  # fmt: skip
        made = await self.twins.control("timerabbit", "POST", "/companies/cmp_1/customers", body)
        return str(made["id"])

    async def books_customer(self, name: str = "Bakken AS", **more: Any) -> str:
        body = {
            "name": name, "customerType": "ORGANIZATION", "emailAddress": "post@bakken.no",
            "phoneNo": "22000000", "customerAddressLine1": "Storgata 1",
            "customerAddressPostcode": "0155", "customerAddressCity": "Oslo",
            "customerAddressCountry": "Norge",
        } | more  # fmt: skip
        made = await self.twins.control("conta", "POST", "/organizations/1001/customers", body)
        return str(made["id"])

    async def edit_time(self, record_id: str, kind: str = "customers", **fields: Any) -> None:
        path = f"/companies/cmp_1/{kind}/{record_id}"
        await self.twins.control("timerabbit", "PATCH", path, fields)

    async def edit_books(self, record_id: str, kind: str = "customers", **fields: Any) -> None:
        path = f"/organizations/1001/{kind}/{record_id}"
        await self.twins.control("conta", "PATCH", path, fields)

    async def in_time(self, record_id: str, kind: str = "customers") -> dict[str, Any]:
        company = await self.twins.time()
        found: dict[str, Any] = next(c for c in company[kind] if c["id"] == record_id)
        return found

    async def in_books(self, record_id: str, kind: str = "customers") -> dict[str, Any]:
        organization = await self.twins.books()
        found: dict[str, Any] = next(c for c in organization[kind] if str(c["id"]) == record_id)
        return found

    async def pair(
        self, time_id: str, books_id: str, kind: RecordKind = RecordKind.CUSTOMER
    ) -> Any:
        """Say that two records are one, with what both say now as the base."""
        link_id = self.linked.link_id
        seen = await (await open_side(self.runtime, link_id, Side.TIME)).read(
            kind, RecordId(time_id)
        )
        record: Any = seen.record
        async with self.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            if kind is RecordKind.CUSTOMER:
                base = customer_fields(record)
            else:
                owner = await session.scalar(
                    select(Pair).where(Pair.time_id == (record.customer_id or ""))
                )
                base = project_fields(record, customer_pair=str(owner.pair_id) if owner else None)
            made = await make_pair(
                session, link_id, kind, time_id=RecordId(time_id), books_id=RecordId(books_id),
                base=base, origin="by-hand", now=self.runtime.clock(),
            )  # fmt: skip
        return made.pair_id

    async def paired(self, name: str = "Bakken AS") -> tuple[str, str]:
        """Make one customer on both sides and pair them."""
        time_id, books_id = await self.time_customer(name), await self.books_customer(name)
        await self.pair(time_id, books_id)
        return time_id, books_id

    async def hint(self, side: Side, *ids: str, kind: RecordKind = RecordKind.CUSTOMER) -> None:
        link_id = self.linked.link_id
        async with self.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            notices = [ChangeNotice(kind, RecordId(id_)) for id_ in ids]
            await note(session, link_id, side, notices, now=self.runtime.clock())
            await defer(session, Job.DRAIN_LINK, link_id)

    async def forget_calls(self) -> None:
        await self.twins.control("conta", "DELETE", "/requests")
        await self.twins.control("timerabbit", "DELETE", "/requests")

    async def calls(self, system: str, *methods: str) -> list[str]:
        found = await self.twins.control(system, "GET", "/requests")
        return [f"{r['method']} {r['path']}" for r in found["requests"] if r["method"] in methods]

    async def writes(self) -> list[str]:
        return [
            call
            for system in ("conta", "timerabbit")
            for call in await self.calls(system, "POST", "PUT", "PATCH", "DELETE")
            if "/links/conta" not in call and "token" not in call
        ]

    async def changes(self) -> Sequence[Change]:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return (await session.scalars(select(Change).order_by(Change.record_id))).all()

    async def pairs(self) -> Sequence[Pair]:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return (await session.scalars(select(Pair).order_by(Pair.pair_id))).all()

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self.runtime.database.reading(self.linked.link_id) as session:
            return [tuple(row) for row in await session.execute(text(query))]

    async def seal_with_a_lost_key(self, side: Side) -> None:
        """Put in place of a credential what a key no longer in the ring sealed."""
        link_id = self.linked.link_id
        sealed = Vault({"lost": b"l" * 32}).seal(
            b"secret", identity=credential_identity(link_id, side)
        )
        async with self.runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
            await session.execute(
                update(Credential).where(Credential.side == side.value).values(sealed=sealed)
            )

    async def fault(self, system: str, **fault: Any) -> None:
        await self.twins.control(system, "POST", "/faults", fault)


@pytest.fixture
async def hands(
    twins: Twins,
    runtime: Runtime,
    linked: Linked,
    work: Callable[[], Awaitable[int]],
    keeper: Keeper,
) -> Hands:
    hands = Hands(twins, runtime, linked, work)

    async def make() -> None:
        await work()
        await hands.forget_calls()

    await keeper.make("hands", make)
    return hands
