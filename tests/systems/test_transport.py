"""The one way out: every failure is sorted, nothing is followed, nothing waits for ever."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.systems.calls import Answer, Call, json_body
from app.systems.http import build_network, network_to
from app.systems.own_time import outgoing_calls, own_seconds
from app.systems.ports import (
    NotFound,
    RateLimited,
    Rejected,
    SystemFault,
    Unreachable,
)
from app.systems.retries import BreakerOpen, Distrusted
from app.systems.transport import Transport, TransportOptions

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

READ = Call("GET", "/things/{id}", {"id": "7"}, pace_key="link-1")
WRITE = Call("POST", "/things", body=b"{}", pace_key="link-1")


def classify(answer: Answer, call: Call) -> SystemFault:
    if answer.status >= 500:
        return Unreachable(f"{answer.status}", effect_possible=call.write)
    return Rejected(f"{answer.status}")


def transport_to(
    url: str = "http://127.0.0.1",
    *,
    network: httpx.AsyncBaseTransport | None = None,
    **options: Any,
) -> Transport:
    limits: dict[str, Any] = {"timeout_seconds": 2.0, "calls_per_second": 1000.0, "burst": 1000}
    return Transport(
        "twin",
        url,
        classify=classify,
        options=TransportOptions(**(limits | options)),
        network=network,
    )


def answering(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[str]]:
    """Give the answers one after the other, the last for ever, and note the calls."""
    calls: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        calls.append(f"{request.method} {request.url.raw_path.decode()}")
        answer = answers[min(len(calls), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle), calls


@asynccontextmanager
async def serving(serve: Serve, **arguments: object) -> AsyncIterator[int]:
    """Run a raw server on a free loopback port."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, **arguments)  # type: ignore[arg-type]
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def calling(serve: Serve, **options: Any) -> AsyncIterator[Transport]:
    async with serving(serve) as port:
        transport = transport_to(f"http://127.0.0.1:{port}", **options)
        try:
            yield transport
        finally:
            await transport.close()


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


async def test_an_answer_comes_back_whole() -> None:
    """Status, headers and inflated body of a 2xx answer reach the caller."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await head(reader))
        body = gzip.compress(b'{"ok":true}')
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "3"\r\nContent-Encoding: gzip\r\n')
        writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with calling(serve) as transport:
        answer = await transport.send(
            Call("GET", "/things/{id}", {"id": "a/b?c%2F"}, {"sort": "+id", "q": "å b"})
        )

    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b'{"ok":true}', '"3"')
    assert requests[0].startswith(b"GET /things/a%2Fb%3Fc%252F?sort=%2Bid&q=%C3%A5+b HTTP/1.1\r\n")
    assert b"accept-encoding: gzip\r\n" in requests[0].lower()


async def test_values_of_a_route_are_quoted_whole() -> None:
    """An id cannot lead to another path; one that is no name at all is simply not there."""
    network, calls = answering(httpx.Response(200))
    transport = transport_to(network=network)

    await transport.send(Call("GET", "/things/{id}", {"id": "a/../b?c#d"}))

    assert calls == ["GET /things/a%2F..%2Fb%3Fc%23d"]
    for nothing in ("", ".", ".."):
        with pytest.raises(NotFound):
            await transport.send(Call("GET", "/things/{id}", {"id": nothing}))
    assert len(calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_never_followed(status: int) -> None:
    """An answer that points elsewhere is a fault of the link, and no second call is made."""
    network, calls = answering(
        httpx.Response(status, headers={"Location": "http://169.254.169.254/latest"})
    )

    with pytest.raises(Distrusted):
        await transport_to(network=network).send(READ)

    assert len(calls) == 1


async def test_a_read_is_tried_at_most_three_times() -> None:
    """Failures of the moment are tried again, at most three times in all."""
    network, calls = answering(httpx.Response(503))

    with pytest.raises(Unreachable) as caught:
        await transport_to(network=network).send(READ)

    assert len(calls) == 3
    assert not caught.value.effect_possible


async def test_a_read_succeeds_when_a_later_try_does() -> None:
    """Two failures of the moment are not seen by the caller."""
    network, calls = answering(
        httpx.Response(500), httpx.ConnectError("no"), httpx.Response(200, content=b"1")
    )

    answer = await transport_to(network=network).send(READ)

    assert (answer.body, len(calls)) == (b"1", 3)


@pytest.mark.parametrize(
    "failure",
    [httpx.Response(500), httpx.Response(429, headers={"Retry-After": "0"}), httpx.ReadError("x")],
)
async def test_a_write_is_never_tried_again(failure: httpx.Response | Exception) -> None:
    """Whatever becomes of a write, it is sent once."""
    network, calls = answering(failure)

    with pytest.raises((Unreachable, RateLimited)):
        await transport_to(network=network).send(WRITE)

    assert len(calls) == 1


async def test_a_post_that_only_reads_is_tried_again() -> None:
    """A read that must be written as a POST counts as a read."""
    network, calls = answering(httpx.Response(502), httpx.Response(200))

    await transport_to(network=network).send(Call("POST", "/find", body=b"{}", effectless=True))

    assert len(calls) == 2


async def test_a_refusal_is_not_tried_again() -> None:
    """What was refused once will be refused again."""
    network, calls = answering(httpx.Response(422))

    with pytest.raises(Rejected):
        await transport_to(network=network).send(READ)

    assert len(calls) == 1


async def test_a_short_retry_after_is_waited_for() -> None:
    """A read waits as long as it is asked, if that is a few seconds."""
    network, calls = answering(
        httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(200)
    )
    transport = transport_to(network=network)
    start = time.monotonic()

    await transport.send(READ)

    assert len(calls) == 2
    assert time.monotonic() - start >= 1.0


async def test_a_long_retry_after_comes_back_at_once_and_holds_for_the_link() -> None:
    """No call of that link goes out before the time asked for; other links are not held."""
    network, calls = answering(
        httpx.Response(429, headers={"Retry-After": "120"}), httpx.Response(200)
    )
    transport = transport_to(network=network)

    with pytest.raises(RateLimited) as asked:
        await transport.send(READ)
    with pytest.raises(RateLimited) as held:
        await transport.send(READ)
    await transport.send(Call("GET", "/things", pace_key="link-2"))

    assert asked.value.retry_after == 120
    assert 115 < held.value.retry_after <= 120
    assert len(calls) == 2


async def test_a_retry_after_may_be_a_date() -> None:
    """A date is measured against the injected clock."""
    network, _ = answering(
        httpx.Response(429, headers={"Retry-After": "Tue, 24 Nov 2026 09:01:30 GMT"})
    )
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

    with pytest.raises(RateLimited) as caught:
        await transport_to(network=network, clock=lambda: now).send(READ)

    assert caught.value.retry_after == 90


async def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    """The one failure of a write that may be repeated by itself; it is no time-out."""
    outcomes: list[str] = []
    transport = transport_to(
        f"http://127.0.0.1:{free_port()}", observe=lambda *told: outcomes.append(told[2])
    )

    with pytest.raises(Unreachable) as caught:
        await transport.send(WRITE)
    await transport.close()

    assert not caught.value.effect_possible
    assert outcomes == ["network"]


async def test_a_name_that_does_not_resolve_proves_that_nothing_was_sent() -> None:
    """Without an address no byte can leave."""
    transport = transport_to("http://nowhere.invalid")

    with pytest.raises(Unreachable) as caught:
        await transport.send(WRITE)
    await transport.close()

    assert not caught.value.effect_possible


async def _reset_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.transport.abort()


async def _close_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)


async def _half_a_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()


async def _no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


async def _broken_gzip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")
    await writer.drain()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    await asyncio.sleep(5)


async def _drop_by_drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(50):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "serve",
    [
        _reset_after_request,
        _close_after_request,
        _half_a_body,
        _no_http,
        _broken_gzip,
        _silence,
        _drop_by_drop,
    ],
)
async def test_once_the_request_may_have_left_the_outcome_of_a_write_is_unknown(
    serve: Serve,
) -> None:
    """Reset, half an answer, nonsense or silence after the request: the effect is possible."""
    start = time.monotonic()
    async with calling(serve, timeout_seconds=0.4) as transport:
        with pytest.raises(Unreachable) as caught:
            await transport.send(WRITE)

    assert caught.value.effect_possible
    assert time.monotonic() - start < 2


async def test_the_deadline_counts_over_all_tries_of_a_read() -> None:
    """A silent system does not hold a read longer than its deadline."""
    tries = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        await _silence(reader, writer)

    start = time.monotonic()
    async with calling(serve, timeout_seconds=0.3) as transport:
        with pytest.raises(Unreachable):
            await transport.send(READ)

    assert tries == 1
    assert time.monotonic() - start < 1


async def test_a_broken_read_counts_each_try_on_the_wire() -> None:
    """No layer underneath repeats by itself: three tries are three requests."""
    requests = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await head(reader)
        requests += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await writer.drain()
        while await reader.read(1):  # the next request on the same connection is cut off
            await head(reader)
            requests += 1
            writer.transport.abort()
            return

    async with calling(serve) as transport:
        await transport.send(READ)
        with pytest.raises(Unreachable):
            await transport.send(Call("PUT", "/things/7", body=b"{}"))

    assert requests == 2


async def test_an_endless_answer_is_cut_at_the_cap() -> None:
    """An answer without end is cut, counted in bytes, and not tried again."""
    sent = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            await writer.drain()
            sent += 0x1000

    async with calling(serve, largest_body_bytes=100_000) as transport:
        with pytest.raises(Distrusted):
            await transport.send(READ)

    assert sent < 10_000_000


async def test_a_gzip_bomb_is_cut_at_its_inflated_size() -> None:
    """What counts is what the answer would become, not what it weighs."""
    bomb = gzip.compress(b"0" * 20_000_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")
        writer.write(b"Content-Length: %d\r\n\r\n" % len(bomb) + bomb)
        await writer.drain()

    async with calling(serve, largest_body_bytes=1_000_000) as transport:
        with pytest.raises(Distrusted):
            await transport.send(READ)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
async def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    """Encodings laid over each other would multiply what one byte may become."""
    network, _ = answering(httpx.Response(200, headers={"Content-Encoding": encoding}))

    with pytest.raises(Distrusted):
        await transport_to(network=network).send(READ)


async def test_no_cookie_of_one_link_is_sent_for_another() -> None:
    """A session that the system starts for one key must not travel with the next key."""
    sent: list[str | None] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"Set-Cookie": "session=secret; Path=/"})

    transport = transport_to(network=httpx.MockTransport(handle))

    await transport.send(READ)
    await transport.send(Call("GET", "/things", pace_key="link-2"))

    assert sent == [None, None]


async def test_after_ten_failures_the_breaker_spares_the_system() -> None:
    """A system that is down is called at most ten times before we wait."""
    network, calls = answering(httpx.ConnectError("down"))
    transport = transport_to(network=network)

    for _ in range(10):
        with pytest.raises(Unreachable):
            await transport.send(WRITE)
    with pytest.raises(BreakerOpen) as caught:
        await transport.send(WRITE)

    assert len(calls) == 10
    assert 29 < (caught.value.retry_after or 0) <= 30
    assert not caught.value.effect_possible


async def test_refusals_do_not_open_the_breaker() -> None:
    """A system that answers, be it with refusals, is well."""
    network, calls = answering(httpx.Response(422))
    transport = transport_to(network=network)

    for _ in range(20):
        with pytest.raises(Rejected):
            await transport.send(WRITE)

    assert len(calls) == 20


async def test_a_cancelled_call_leaves_no_trace_in_the_breaker() -> None:
    """Giving up a call says nothing about the system."""
    async with calling(_silence) as transport:
        for _ in range(12):
            task = asyncio.create_task(transport.send(WRITE))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with pytest.raises(Unreachable) as caught:
            await transport.send(Call("POST", "/things", body=b"{}", timeout_seconds=0.1))

    assert not isinstance(caught.value, BreakerOpen)


async def test_each_try_is_observed_and_logged_without_values() -> None:
    """Metrics and logs say system, method, route and outcome; never an id, a key or a body."""
    seen: list[tuple[str, str, str]] = []
    network, _ = answering(httpx.Response(500), httpx.Response(200, content=b"personal"))

    def observe(system: str, method: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        seen.append((system, method, outcome))

    transport = transport_to(network=network, observe=observe)

    with structlog.testing.capture_logs() as lines:
        await transport.send(
            Call("GET", "/things/{id}", {"id": "kari-7"}, {"q": "kari"}, {"apiKey": "secret"})
        )

    assert seen == [("twin", "GET", "5xx"), ("twin", "GET", "2xx")]
    assert [line["route"] for line in lines] == ["/things/{id}", "/things/{id}"]
    assert all(word not in str(lines) for word in ("kari", "secret", "personal"))


async def test_waiting_for_another_system_is_not_our_own_time() -> None:
    """Own time is wall time less the union of the calls in flight, side by side ones once."""

    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(200)

    transport = transport_to(network=httpx.MockTransport(slow))
    start = time.perf_counter()

    with outgoing_calls() as intervals:
        await asyncio.gather(*(transport.send(READ) for _ in range(3)))
        await asyncio.sleep(0.05)
    end = time.perf_counter()

    assert len(intervals) == 3
    assert 0.04 < own_seconds(start, end, intervals) < 0.15


def test_a_base_address_that_is_private_is_refused_when_it_is_https() -> None:
    """A resolver never sees an address written in digits, so it is looked at when it is set."""
    for url in (
        "https://127.0.0.1",
        "https://[::1]",
        "https://10.0.0.1",
        "https://169.254.169.254",
    ):
        with pytest.raises(ValueError, match="public"):
            network_to(url)


async def test_a_name_that_resolves_to_this_machine_is_refused_at_connect() -> None:
    """In production a name may not lead back into our own network."""
    transport = transport_to(f"https://localhost:{free_port()}")

    with pytest.raises(Unreachable) as caught:
        await transport.send(WRITE)
    await transport.close()

    assert not caught.value.effect_possible


def _self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2046, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def test_a_certificate_of_no_known_authority_is_refused(tmp_path: Path) -> None:
    """A self-signed certificate ends the call before anything is sent."""
    reached = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        await head(reader)
        reached = True

    async with serving(serve, ssl=_self_signed(tmp_path)) as port:
        transport = transport_to(
            f"https://localhost:{port}", network=build_network(public_only=False)
        )
        with pytest.raises(Unreachable) as caught:
            await transport.send(WRITE)
        await transport.close()

    assert not caught.value.effect_possible
    assert not reached


def test_money_is_written_with_the_digits_it_has() -> None:
    """A decimal never becomes a float on its way out."""
    body = json_body({"price": Decimal("0.10"), "big": Decimal("123456789012345678.01")})

    assert body == b'{"price":0.10,"big":123456789012345678.01}'


async def test_a_refusal_after_a_failure_ends_the_tries() -> None:
    """What is refused at the second try is not tried a third time."""
    network, calls = answering(httpx.Response(503), httpx.Response(422))

    with pytest.raises(Rejected):
        await transport_to(network=network).send(READ)

    assert len(calls) == 2
