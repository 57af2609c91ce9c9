"""Which bearer tokens are believed: a token speaks for its bearer only when everything fits."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.access.caller import ADMINISTRATOR, USER, Scope
from app.access.jwks import KeySets
from app.access.tokens import TokenRefused, read_jwt
from app.settings import Settings
from tests.conftest import SetClock
from tests.features.access.conftest import Forger, Jwks, b64, segment
from tests.features.conftest import CONTA, TIMERABBIT


async def call(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/v1/links", headers={"Authorization": f"Bearer {token}"})


async def refused(client: httpx.AsyncClient, token: str) -> bool:
    answer = await call(client, token)
    assert answer.status_code == 401, answer.text
    assert answer.json()["code"] == "not-signed-in"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert token[-20:] not in answer.text
    return True


def test_roles_give_what_the_product_says() -> None:
    """Nobody is an operator by role; a user reads links and makes drafts, and decides nothing."""
    assert frozenset(Scope) - {Scope.OPERATOR} == ADMINISTRATOR
    assert {"links:read", "invoices:read", "invoices:write"} == USER


async def test_a_token_of_a_known_issuer_is_believed(
    client: httpx.AsyncClient, forger: Forger
) -> None:
    """The forger's tokens are good where nothing is wrong with them, so what follows can fail."""
    answer = await call(client, forger.signed())

    assert answer.status_code == 200


async def test_no_token_is_no_caller(client: httpx.AsyncClient) -> None:
    """Without a bearer token, or with another scheme, nobody is signed in."""
    bare = await client.get("/v1/links")
    basic = await client.get("/v1/links", headers={"Authorization": "Basic a2FyaTprYXJp"})

    assert (bare.status_code, basic.status_code) == (401, 401)


@pytest.mark.parametrize("second", ["Bearer tct_x", "Basic a2FyaTprYXJp", "", None])
async def test_of_two_headers_none_is_believed(
    client: httpx.AsyncClient, forger: Forger, second: str | None
) -> None:
    """Two authorizations, though the first or both were good, sign nobody in."""
    good = f"Bearer {forger.signed()}"
    headers = [("Authorization", good), ("Authorization", good if second is None else second)]

    answer = await client.get("/v1/links", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", ""])
async def test_an_unsigned_token_is_refused(
    client: httpx.AsyncClient, forger: Forger, algorithm: str
) -> None:
    """``alg: none`` in any spelling signs nothing."""
    assert await refused(client, forger.unsigned(algorithm))


@pytest.mark.parametrize("form", ["pem", "der", "jwk"])
async def test_the_public_key_is_no_secret(
    client: httpx.AsyncClient, forger: Forger, form: str
) -> None:
    """HS256 with the issuer's public key, which all can read, is refused."""
    assert await refused(client, forger.with_public_key_as_secret(form))


@pytest.mark.parametrize(
    "header",
    [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"crit": []},
     {"jku": "http://evil.test/keys"}, {"jwk": {"kty": "EC"}}, {"x5u": "http://evil.test/cert"},
     {"x5c": ["MII"]}, {"alg": "ES384"}, {"alg": "RS256"}, {"alg": "EdDSA"}, {"alg": None},
     {"alg": ["ES256"]}],
    ids=str,
)  # fmt: skip
async def test_a_header_that_chooses_key_or_rules_is_refused(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks, header: dict[str, Any]
) -> None:
    """Algorithm and keys come from our settings; nothing that a token names is fetched."""
    assert await refused(client, forger.signed(**header))
    assert not any("evil" in url for url in jwks.fetched)


@pytest.mark.parametrize(
    "claims",
    [{"aud": "someone-else"}, {"aud": None}, {"aud": []}, {"iss": "http://evil.test"},
     {"iss": None}, {"iss": TIMERABBIT}, {"iss": f"{CONTA}/"}, {"iss": [CONTA]}, {"exp": None},
     {"exp": "9999999999"}, {"exp": float("inf")}, {"exp": float("nan")}, {"exp": True},
     {"nbf": "0"}, {"accounts": None}, {"accounts": "1001"}, {"accounts": [["1001"]]},
     {"accounts": [False]}, {"role": None}, {"role": "owner"}, {"role": "operator"},
     {"role": ["administrator"]}, {"sub": None}, {"sub": 17}, {"sub": ""}, {"sub": "x" * 201},
     {"sub": "a\0b"}],
    ids=str,
)  # fmt: skip
async def test_a_claim_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, forger: Forger, claims: dict[str, Any]
) -> None:
    """Issuer, audience, times, accounts, role and subject are each needed, in their right form."""
    assert await refused(client, forger.signed(forger.claims(**claims)))


async def test_an_audience_may_be_one_of_several(client: httpx.AsyncClient, forger: Forger) -> None:
    """A list of audiences is good when it names us."""
    token = forger.signed(forger.claims(aud=["other", "timerabbit-conta"]))

    assert (await call(client, token)).status_code == 200


async def test_accounts_may_be_numbers(client: httpx.AsyncClient, forger: Forger) -> None:
    """Conta counts its organizations; an id is the same as number and as text."""
    token = forger.signed(forger.claims(accounts=[1001]))
    body = {"name": "x", "account": "1001", "scopes": ["links:read"]}

    answer = await client.post(
        "/v1/tokens",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"},
        json=body,
    )

    assert answer.status_code == 201


@pytest.mark.parametrize(("late", "status"), [(60, 200), (61, 401)])
async def test_a_token_ends_with_a_minutes_grace(
    client: httpx.AsyncClient, forger: Forger, clock: SetClock, late: int, status: int
) -> None:
    """Sixty seconds of difference between clocks are forgiven, not sixty-one."""
    token = forger.signed()
    clock.advance(seconds=900 + late)

    assert (await call(client, token)).status_code == status


@pytest.mark.parametrize(("early", "status"), [(60, 200), (61, 401)])
async def test_a_token_begins_with_a_minutes_grace(
    client: httpx.AsyncClient, forger: Forger, clock: SetClock, early: int, status: int
) -> None:
    """The same at the other end."""
    nbf = int(clock().timestamp()) + early

    answer = await call(client, forger.signed(forger.claims(nbf=nbf)))

    assert answer.status_code == status


@pytest.mark.parametrize(
    "token",
    ["a", "a.b", "a.b.c", "a.b.c.d", "....", "é.é.é", "e30.e30.", "bnVsbA.bnVsbA.x",
     f"{segment([])}.{segment({})}.x", f"{b64(b'{')}.{segment({})}.x",
     f"{segment({})}.{b64(bytes([255]))}.x", f"{b64(b'[' * 5000)}.{segment({})}.x",
     f"{b64(b'1' * 5000)}.{segment({})}.x",
     f"{segment({'alg': 'ES256', 'kid': {}})}.{segment({'iss': CONTA})}.%%%"],
)  # fmt: skip
async def test_what_is_no_token_is_refused(client: httpx.AsyncClient, token: str) -> None:
    """Malformed tokens are answered like wrong ones, never with a fault of ours."""
    headers = {b"Authorization": f"Bearer {token}".encode()}

    answer = await client.get("/v1/links", headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_any_changed_part_is_refused(
    client: httpx.AsyncClient, forger: Forger, part: int
) -> None:
    """A character changed in header, claims or signature breaks the token."""
    parts = forger.signed().split(".")
    middle = len(parts[part]) // 2
    other = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]

    assert await refused(client, ".".join(parts))


async def test_an_oversized_token_costs_nothing(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """A megabyte is refused by its length, before anything is decoded or fetched."""
    token = forger.signed(forger.claims(pad="x" * 1_000_000))
    key_sets: Any = None
    started = time.perf_counter()
    with pytest.raises(TokenRefused, match="form"):
        await read_jwt(token, key_sets)

    assert time.perf_counter() - started < 0.005
    assert await refused(client, token)
    assert jwks.fetched == []


async def test_a_rotated_key_works_after_one_fetch(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """An issuer's new key is believed at the next call; the withdrawn one is not any more."""
    old = forger.signed()
    await call(client, old)
    forger.rotate()
    jwks.seconds += 31

    answer = await call(client, forger.signed())

    assert (answer.status_code, len(jwks.fetched)) == (200, 2)
    assert await refused(client, old)


async def test_a_storm_of_unknown_key_ids_costs_one_fetch_in_half_a_minute(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """Who makes up key ids cannot make us hammer the issuer, nor lock others out."""
    await call(client, forger.signed())
    jwks.seconds += 31
    made_up = [forger.signed(kid=f"made-up-{n}") for n in range(50)]

    answers = await asyncio.gather(*(call(client, token) for token in made_up))

    assert {answer.status_code for answer in answers} == {401}
    assert len(jwks.fetched) == 2
    assert (await call(client, forger.signed())).status_code == 200


async def test_a_new_key_is_found_in_the_middle_of_a_storm(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """The storm's own fetches bring the new key within half a minute."""
    await call(client, forger.signed())
    forger.rotate()
    good = forger.signed()
    for _ in range(4):
        jwks.seconds += 10
        await call(client, forger.signed(kid="made-up"))

    assert (await call(client, good)).status_code == 200


async def test_the_first_callers_at_once_are_all_let_in(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """A fresh process fetches the keys once, and whoever comes meanwhile waits for them."""
    answers = await asyncio.gather(*(call(client, forger.signed()) for _ in range(10)))

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(jwks.fetched) == 1


async def test_a_known_key_does_not_wait_for_a_fetch_under_way(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """While the keys are read anew, those who show a known key are served from the held ones."""
    await call(client, forger.signed())
    jwks.seconds += 3601
    jwks.pause = 0.3
    slow = asyncio.create_task(call(client, forger.signed(kid="made-up")))
    await asyncio.sleep(0.1)
    started = time.perf_counter()

    answer = await call(client, forger.signed())

    assert (answer.status_code, time.perf_counter() - started < 0.15) == (200, True)
    assert (await slow).status_code == 401


@pytest.mark.parametrize("kid", [None, 17, ["conta-1"]])
async def test_a_key_id_that_is_no_text_is_refused(
    client: httpx.AsyncClient, forger: Forger, kid: object
) -> None:
    """A token says by which key it is signed; it is not tried with every key."""
    assert await refused(client, forger.signed(kid=kid))


@pytest.mark.parametrize(
    "broken",
    [httpx.ConnectError("away"), httpx.Response(500), httpx.Response(200, content=b"<html>"),
     httpx.Response(302, headers={"location": "http://evil.test"}),
     httpx.Response(200, json={"nothing": 1}), httpx.Response(200, json=[]),
     httpx.Response(200, content=b" " * 70_000)],
    ids=str,
)  # fmt: skip
async def test_keys_that_cannot_be_read_let_nobody_in(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks, broken: httpx.Response | Exception
) -> None:
    """Without keys nothing can be said of a token: come again; then they are fetched anew."""
    jwks.instead = broken
    away = await call(client, forger.signed())
    jwks.seconds += 31
    jwks.instead = None

    assert (away.status_code, away.json()["code"]) == (503, "system-unreachable")
    assert away.headers["retry-after"] == "30"
    assert (await call(client, forger.signed())).status_code == 200


async def test_held_keys_outlive_an_outage_of_their_issuer(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks
) -> None:
    """An hour later the keys are asked for again; no answer leaves the known ones in use."""
    await call(client, forger.signed())
    jwks.instead = httpx.ConnectError("away")
    jwks.seconds += 3601

    answer = await call(client, forger.signed())

    assert (answer.status_code, len(jwks.fetched)) == (200, 2)


@pytest.mark.parametrize(
    "strange",
    [{"kty": "XYZ", "kid": "s"}, {"kty": "EC", "kid": "s"}, {"kty": "EC", "crv": "P-256", "x": "%"},
     {}, "text", None, {"kty": 7}],
    ids=str,
)  # fmt: skip
async def test_a_key_that_cannot_be_read_hides_no_other(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks, strange: Any
) -> None:
    """An issuer may show keys of kinds we do not know, or a broken one, beside ours."""
    jwks.instead = httpx.Response(200, json={"keys": [strange, *forger.issuer.jwks()["keys"]]})

    assert (await call(client, forger.signed())).status_code == 200


@pytest.mark.parametrize("wrong", [{"use": "enc"}, {"alg": "ES384"}, {"key_ops": ["sign"]}])
async def test_an_issuers_own_word_on_a_key_is_kept_to(
    client: httpx.AsyncClient, forger: Forger, jwks: Jwks, wrong: dict[str, Any]
) -> None:
    """A key shown for another algorithm or use verifies nothing."""
    (shown,) = forger.issuer.jwks()["keys"]
    jwks.instead = httpx.Response(200, json={"keys": [shown | wrong]})

    assert await refused(client, forger.signed())


def _answer(body: Callable[[], AsyncIterator[bytes]], _: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=body())


async def test_a_key_endpoint_that_never_ends_is_given_up(
    client: httpx.AsyncClient, app: FastAPI, forger: Forger, settings: Settings
) -> None:
    """An endless answer is cut by size, one that trickles by time; nobody hangs on it."""

    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    async def flood() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 10_000

    for body in (trickle, flood):
        network = httpx.MockTransport(partial(_answer, body))
        async with httpx.AsyncClient(transport=network) as asking:
            app.state.key_sets = KeySets(settings.issuers, client=asking, timeout_seconds=0.05)
            answer = await call(client, forger.signed())

        assert answer.status_code == 503


async def test_forwarded_headers_change_nothing(
    client: httpx.AsyncClient, forger: Forger, settings: Settings
) -> None:
    """Who calls is what the token says, whatever other headers claim."""
    headers = {
        "Authorization": f"Bearer {forger.signed()}", "X-User-Id": "1", "X-Tenant": "2002",
        "X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "root",
    }  # fmt: skip

    with_more = await client.get("/v1/links", headers=headers)
    plain = await call(client, forger.signed())

    assert with_more.json() == plain.json()
