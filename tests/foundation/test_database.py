"""The database's walls: a transaction sees its links' rows and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import DBAPIError, StatementError
from uuid_utils.compat import uuid7

from app.canonical import LinkId, RecordId, RecordKind
from app.database import CommitPoint, Database, create_database, expect_bound_role, role_fault
from app.embedded import EmbeddedServer
from app.links.pairs import Pair, make_pair
from app.settings import SettingsInvalid

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


async def _pair(database: Database, link_id: LinkId, number: str) -> None:
    async with database.transaction(CommitPoint.PLAIN, link_id) as session:
        await make_pair(
            session, link_id, RecordKind.CUSTOMER,
            time_id=RecordId(number), books_id=RecordId(number), base={}, origin="matched", now=NOW,
        )  # fmt: skip


async def test_a_transaction_sees_only_its_links(database: Database, link_id: LinkId) -> None:
    """Another link's rows are not there, whatever the query says."""
    other = LinkId(uuid7())
    await _pair(database, link_id, "1")
    await _pair(database, other, "1")

    async with database.reading(link_id) as session:
        seen = list(await session.scalars(select(Pair.link_id)))

    assert seen == [link_id]


async def test_without_links_no_row_is_seen_or_written(database: Database, link_id: LinkId) -> None:
    """Forgetting to bind shows nothing, also on a connection that was bound before."""
    await _pair(database, link_id, "1")

    async with database.transaction(CommitPoint.PLAIN) as session:
        seen = await session.scalar(select(func.count()).select_from(Pair))
        changed = await session.execute(update(Pair).values(origin="by-hand"))
        gone = await session.execute(delete(Pair))

    assert (seen, changed.rowcount, gone.rowcount) == (0, 0, 0)  # type: ignore[attr-defined]


async def test_a_row_of_another_link_cannot_be_written(database: Database, link_id: LinkId) -> None:
    """Writing with a foreign link's id is refused by the database itself."""
    with pytest.raises(DBAPIError, match="row-level security"):
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await make_pair(
                session, LinkId(uuid7()), RecordKind.CUSTOMER,
                time_id=RecordId("1"), books_id=RecordId("1"), base={}, origin="matched", now=NOW,
            )  # fmt: skip


async def test_an_exception_rolls_everything_back(database: Database, link_id: LinkId) -> None:
    """Nothing half done stays."""

    async def fail() -> None:
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await make_pair(
                session, link_id, RecordKind.CUSTOMER,
                time_id=RecordId("1"), books_id=RecordId("1"), base={}, origin="matched", now=NOW,
            )  # fmt: skip
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with database.reading(link_id) as session:
        assert await session.scalar(select(func.count()).select_from(Pair)) == 0


async def test_a_naive_instant_is_refused(database: Database, link_id: LinkId) -> None:
    """Every stored instant is aware."""
    with pytest.raises(StatementError, match="aware"):
        async with database.transaction(CommitPoint.PLAIN, link_id) as session:
            await make_pair(
                session, link_id, RecordKind.CUSTOMER,
                time_id=RecordId("1"), books_id=RecordId("1"), base={}, origin="matched",
                now=datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
            )  # fmt: skip


async def test_the_hook_is_called_around_each_commit(database_url: str) -> None:
    """The stories can die just before and just after a commit point."""
    calls: list[tuple[str, str]] = []
    database = create_database(
        database_url, pool=1, hook=lambda point, when: calls.append((point, when))
    )

    async with database.transaction(CommitPoint.DRAFT_INTENT):
        pass
    database.passing(CommitPoint.DRAFT_BEFORE_POST)
    await database.close()

    assert calls == [("c1", "before"), ("c1", "after"), ("c3", "before"), ("c3", "after")]


@pytest.mark.parametrize(
    ("role", "fault"),
    [("tc_service", None), ("tc_owner", "owns tables"), ("postgres", "is a superuser")],
)
async def test_a_role_that_policies_do_not_bind_is_found(
    server: EmbeddedServer, database_name: str, role: str, fault: str | None
) -> None:
    """The service starts only as a role that owns nothing and bypasses nothing."""
    database = create_database(server.url(role, database_name), pool=1)

    found = await role_fault(database)
    await database.close()

    assert found == fault


@pytest.fixture
def bypassing(server: EmbeddedServer, database_name: str) -> Iterator[str]:
    """A role that is no superuser and owns nothing, and yet sees every row."""
    role = f"bypassing_{database_name}"
    with psycopg.connect(server.url("postgres", database_name), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER BYPASSRLS".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA public TO {role}".encode())
        yield role
        connection.execute(f"DROP OWNED BY {role}".encode())
        connection.execute(f"DROP ROLE {role}".encode())


@pytest.mark.parametrize("role", ["postgres", "bypassing"])
async def test_no_transaction_begins_as_a_role_that_policies_do_not_bind(
    server: EmbeddedServer, database_name: str, bypassing: str, role: str
) -> None:
    """Whoever did not ask before, because the database was away then, is stopped here."""
    url = server.url(bypassing if role == "bypassing" else role, database_name)
    database = create_database(url, pool=1)

    for _ in range(2):
        with pytest.raises(SettingsInvalid, match="TC_DATABASE_URL: the role"):
            async with database.reading():
                pass
        with pytest.raises(SettingsInvalid, match="TC_DATABASE_URL: the role"):
            async with database.transaction(CommitPoint.PLAIN):
                pass
    await database.close()


async def test_a_role_that_bypasses_policies_is_found(
    server: EmbeddedServer, database_name: str, bypassing: str
) -> None:
    """BYPASSRLS alone is reason enough, and the refusal names the variable to mend."""
    database = create_database(server.url(bypassing, database_name), pool=1)

    with pytest.raises(SettingsInvalid, match="TC_DATABASE_URL: the role has BYPASSRLS"):
        await expect_bound_role(database)
    await database.close()


def test_the_service_role_may_not_truncate(server: EmbeddedServer, database_name: str) -> None:
    """TRUNCATE is not filtered by policies, so the service role has no right to it."""
    with (
        psycopg.connect(server.url("tc_service", database_name)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("TRUNCATE pairs")
