"""The embedded server of development: several processes may start on it at once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from app.embedded import DATABASE, EmbeddedServer

TOGETHER = 8


def test_processes_that_start_together_prepare_the_server_one_by_one(
    server: EmbeddedServer,
) -> None:
    """Service and worker of a first `make demo` did: «tuple concurrently updated»."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        for _ in range(5):
            list(pool.map(lambda _: server.prepare(), range(TOGETHER)))

    with psycopg.connect(server.service_url) as connection:
        found = connection.execute("SELECT current_user, current_database()").fetchone()

    assert found == ("tc_service", DATABASE)
