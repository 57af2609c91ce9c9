"""Make the bench's world.

A database of its own with links, secrets and pairs, ready to be hinted at.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from uuid_utils.compat import uuid7

from app import migrate
from app.canonical import LinkId, Side
from app.embedded import EmbeddedServer, start_embedded
from app.links.credentials import tokens_as_bytes
from app.links.identity import credential_identity, webhook_secret_identity
from app.systems.ports import Tokens
from app.vault import Vault
from bench.load import request_bytes
from bench.stub import name

KEY = b"b" * 32
KEYRING = "bench:" + base64.b64encode(KEY).decode()
SECRET_BYTES = b"s" * 32
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()


@dataclass(frozen=True)
class BenchLink:
    """Hold a link and the numbers of its pairs (``c<n>`` on the time side.

    ``<n>`` in the books).
    """

    link_id: LinkId
    company: str
    numbers: Sequence[int]


@dataclass(frozen=True)
class World:
    """Hold the server and its links; the first one has most pairs."""

    server: EmbeddedServer
    database: str
    links: Sequence[BenchLink]

    @property
    def service_url(self) -> str:
        """Give the database as the service role."""
        return self.server.url("tc_service", self.database)

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as superuser, who sees all rows."""
        url = self.server.url("postgres", self.database)
        with psycopg.connect(url, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []


def make_world(folder: Path, *, links: int = 200, pairs: int = 10, first: int = 1300) -> World:
    """Make a fresh database with ``links`` active links; the first has ``first`` pairs."""
    server = start_embedded(folder)
    server.drop_database("bench")
    server.create_database("bench")
    migrate.upgrade(server.url("tc_owner", "bench"))
    numbers = iter(range(1, 10_000_000))
    made = [
        BenchLink(
            LinkId(uuid7()),
            f"cmp_{index}",
            [next(numbers) for _ in range(pairs if index else first)],
        )
        for index in range(links)
    ]
    world = World(server, "bench", made)
    _store(world)
    return world


def _store(world: World) -> None:
    now = datetime.now(UTC)
    vault = Vault({"bench": KEY})
    url = world.server.url("postgres", world.database)
    with psycopg.connect(url, autocommit=True) as connection:
        for index, link in enumerate(world.links):
            _store_link(connection, vault, link, str(index + 1), now)
        connection.execute("CREATE TABLE bare (delivery_id text PRIMARY KEY, body bytea)")
        connection.execute("GRANT ALL ON bare TO tc_service")
        connection.execute("ANALYZE")


def _store_link(
    connection: psycopg.Connection, vault: Vault, link: BenchLink, books: str, now: datetime
) -> None:
    connection.execute(
        "INSERT INTO link_directory (link_id, time_account, books_account, state, pending, parked)"
        " VALUES (%s, %s, %s, 'active', 0, 0)",
        (link.link_id, link.company, books),
    )
    connection.execute(
        "INSERT INTO links (link_id, state, pause_detail, time_account, books_account, return_url,"
        " settings, features, version, created_at, updated_at)"
        " VALUES (%s, 'active', '{}', %s, %s, '', '{}', '[\"projects\"]', 1, %s, %s)",
        (link.link_id, link.company, books, now, now),
    )
    tokens = Tokens("access", "refresh", now + timedelta(days=30))
    sealed = {
        Side.TIME: tokens_as_bytes(tokens),
        Side.BOOKS: b"key",
    }
    for side, secret in sealed.items():
        connection.execute(
            "INSERT INTO credentials (link_id, side, sealed, version, updated_at)"
            " VALUES (%s, %s, %s, 1, %s)",
            (link.link_id, side.value,
             vault.seal(secret, identity=credential_identity(link.link_id, side)), now),
        )  # fmt: skip
    secret_id = uuid7()
    connection.execute(
        "INSERT INTO webhook_secrets (link_id, secret_id, side, sealed, created_at)"
        " VALUES (%s, %s, 'time', %s, %s)",
        (link.link_id, secret_id,
         vault.seal(SECRET.encode(), identity=webhook_secret_identity(link.link_id, secret_id)),
         now),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO pairs (link_id, pair_id, kind, time_id, books_id, base, origin,"
            " version, created_at, updated_at)"
            " VALUES (%s, %s, 'customer', %s, %s, %s, 'matched', 1, %s, %s)",
            [
                (link.link_id, uuid7(), f"c{n}", str(n), json.dumps(_base(n)), now, now)
                for n in link.numbers
            ],
        )


def _base(number: int) -> dict[str, object]:
    return {
        "name": name(str(number), 1), "kind": "company", "organization_number": None,
        "email": None, "phone": None, "active": True,
        "address": {
            "line1": "Storgata 1", "line2": None, "postal_code": "0155", "city": "Oslo",
            "country": "NO",
        },
    }  # fmt: skip


def hint(link: BenchLink, number: int, *, path: str | None = None) -> bytes:
    """Write one signed webhook that says a customer may have changed."""
    from app.systems.signatures import sign

    now = datetime.now(UTC)
    instant = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps(
        {
            "type": "customer.updated", "timestamp": instant, "companyId": link.company,
            "data": {"id": f"c{number}", "version": 2, "updatedAt": instant},
        }
    ).encode()  # fmt: skip
    message_id, timestamp = f"msg_{uuid7().hex}", int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(
            SECRET_BYTES, message_id=message_id, timestamp=timestamp, body=body
        ),
    }
    whole = path or f"/v1/webhooks/timerabbit/{link.link_id}"
    return request_bytes("POST", whole, headers, body)


def spread(world: World, count: int, *, skip: int = 0) -> Iterator[tuple[BenchLink, int]]:
    """Give different records, going round the links; the first link's share is like the others'."""
    for index in range(skip, skip + count):
        link = world.links[index % len(world.links)]
        yield link, link.numbers[index // len(world.links)]


def uuid_of(value: object) -> UUID:
    """Give a UUID of the standard library."""
    return UUID(str(value))
