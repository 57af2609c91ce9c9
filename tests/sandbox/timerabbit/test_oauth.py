"""Log-in at the twin: code with PKCE, refresh with rotation, and what is refused."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.sandbox.timerabbit.store import Client, Store
from tests.sandbox.timerabbit.conftest import API, Control, StandingClock, refusal

RETURN = "http://conta.test/tilbake"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()[:43]
SECRET = ("timerabbit-conta", "sandbox-secret")


async def token(
    browser: httpx.AsyncClient, auth: tuple[str, str] | None = SECRET, **form: str
) -> httpx.Response:
    signed: Any = auth
    return await browser.post("/oauth/token", data=form, auth=signed)


async def begin(browser: httpx.AsyncClient, **more: Any) -> httpx.Response:
    """Ask for a handover with our own client's access."""
    access = (await token(browser, grant_type="client_credentials")).json()["access_token"]
    body = {
        "returnUrl": RETURN, "state": "s" * 20, "codeChallenge": CHALLENGE,
        "codeChallengeMethod": "S256", "locale": "nb-NO",
        "company": {"name": "Ny AS", "organizationNumber": "923609016"},
    } | more  # fmt: skip
    headers = {"Authorization": f"Bearer {access}", "Idempotency-Key": "handover-1"}
    return await browser.post(f"{API}/handovers", json=body, headers=headers)


async def consent(browser: httpx.AsyncClient, login: str = "cmp_1") -> dict[str, str]:
    """Press the button of the log-in page; gives what the redirect carries."""
    page = await browser.get(urlsplit((await begin(browser)).json()["handoverUrl"]).path)
    query = {k: v[0] for k, v in parse_qs(urlsplit(page.headers["location"]).query).items()}
    went = await browser.post("/oauth/consent", data={**query, "login": login})
    assert went.status_code == 303
    assert went.headers["location"].startswith(f"{RETURN}?")
    return {k: v[0] for k, v in parse_qs(urlsplit(went.headers["location"]).query).items()}


async def exchange(browser: httpx.AsyncClient, code: str, **more: Any) -> httpx.Response:
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": RETURN,
        "code_verifier": VERIFIER,
    } | more  # fmt: skip
    auth = form.pop("auth", SECRET)
    return await token(browser, auth, **form)


async def pings(browser: httpx.AsyncClient, access: str) -> int:
    headers = {"Authorization": f"Bearer {access}"}
    return (await browser.get(f"{API}/ping", headers=headers)).status_code


async def test_a_log_in_gives_access_to_the_chosen_company(browser: httpx.AsyncClient) -> None:
    """State comes back as it went, beside the issuer; the code buys access once."""
    back = await consent(browser)

    bought = await exchange(browser, back["code"])

    assert (back["state"], back["iss"]) == ("s" * 20, "http://timerabbit.test")
    assert await pings(browser, bought.json()["access_token"]) == 200
    assert (await exchange(browser, back["code"])).json() == {"error": "invalid_grant"}


async def test_the_log_in_page_tells_what_a_trial_costs(browser: httpx.AsyncClient) -> None:
    """The page names the companies, and the price of a new one."""
    started = await begin(browser)
    page = await browser.get(urlsplit(started.json()["handoverUrl"]).path)

    shown = await browser.get(page.headers["location"])

    assert shown.status_code == 200
    assert "12 måneder" in shown.text
    assert "Fjord &amp; Fjell" in shown.text


async def test_a_trial_company_is_registered_with_the_facts_of_the_handover(
    browser: httpx.AsyncClient, store: Store
) -> None:
    """Name and number come from Conta's side; thirty days are given."""
    back = await consent(browser, "register")

    await exchange(browser, back["code"])
    company = store.companies["cmp_3"].facts

    assert (company["name"], company["organizationNumber"]) == ("Ny AS", "923609016")
    assert company["subscription"]["status"] == "trial"
    assert company["subscription"]["trialEndsOn"] == "2026-12-24"
    access = (await token(browser, grant_type="client_credentials")).json()["access_token"]
    read = await browser.get(
        f"{API}/handovers/{back['handover']}", headers={"Authorization": f"Bearer {access}"}
    )
    assert (read.json()["status"], read.json()["outcome"]) == ("completed", "trial_registered")


@pytest.mark.parametrize(
    "wrong",
    [{"code_verifier": "w" * 43}, {"code_verifier": ""}, {"redirect_uri": f"{RETURN}/"},
     {"redirect_uri": RETURN.upper()}, {"redirect_uri": f"{RETURN}?a=1"}, {"code": "made-up"},
     {"auth": ("other", "other-secret")}],
    ids=str,
)  # fmt: skip
async def test_a_code_is_bound_to_verifier_address_and_client(
    browser: httpx.AsyncClient, store: Store, wrong: dict[str, Any]
) -> None:
    """PKCE, exact return address, and the client that asked."""
    store.clients["other"] = Client("other", "other-secret")
    back = await consent(browser)

    answer = await exchange(browser, **({"code": back["code"]} | wrong))

    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


async def test_a_code_lives_five_minutes(browser: httpx.AsyncClient, time: StandingClock) -> None:
    """Who waits too long must log in again."""
    back = await consent(browser)
    time.advance(300)

    assert (await exchange(browser, back["code"])).json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "auth", [None, ("timerabbit-conta", "wrong"), ("nobody", "sandbox-secret"), ("", "")]
)
async def test_an_unknown_client_gets_nothing(
    browser: httpx.AsyncClient, auth: tuple[str, str] | None
) -> None:
    """The token endpoint asks for our secret first."""
    answer = await token(browser, auth, grant_type="client_credentials")

    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


async def test_a_header_that_cannot_be_read_is_no_client(browser: httpx.AsyncClient) -> None:
    """Garbage in Authorization is answered, not stumbled over."""
    beyond_ascii = base64.b64encode("timerabbit-conta:hemmelig-ø".encode()).decode()
    for header in ("Basic %%%", "Basic /w==", "Bearer x", f"Basic {beyond_ascii}"):
        answer = await browser.post("/oauth/token", headers={"Authorization": header})
        assert answer.status_code == 401


async def test_a_form_that_is_no_text_is_refused(browser: httpx.AsyncClient) -> None:
    """Bytes that are no UTF-8 are no grant of ours, and no fault of the server's."""
    answer = await browser.post(
        "/oauth/token", content=b"grant_type=\xff\xfe", auth=("timerabbit-conta", "sandbox-secret"),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


async def test_other_grants_are_unknown(browser: httpx.AsyncClient) -> None:
    """No password grant, no implicit one."""
    answer = await token(browser, grant_type="password", username="kari", password="x")

    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


async def test_a_refresh_token_is_good_once_and_its_reuse_ends_all(
    browser: httpx.AsyncClient,
) -> None:
    """Rotation: who shows a used one again is a thief, or was robbed; the log-in ends."""
    first = (await exchange(browser, (await consent(browser))["code"])).json()
    renew = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await token(browser, **renew)).json()
    assert await pings(browser, second["access_token"]) == 200

    again = await token(browser, **renew)

    assert again.json() == {"error": "invalid_grant"}
    assert await pings(browser, second["access_token"]) == 401
    newest = renew | {"refresh_token": second["refresh_token"]}
    assert (await token(browser, **newest)).json() == {"error": "invalid_grant"}


async def test_another_clients_refresh_token_is_no_use(
    browser: httpx.AsyncClient, store: Store
) -> None:
    """A token is its client's."""
    store.clients["other"] = Client("other", "other-secret")
    first = (await exchange(browser, (await consent(browser))["code"])).json()

    answer = await token(
        browser, ("other", "other-secret"), grant_type="refresh_token",
        refresh_token=first["refresh_token"],
    )  # fmt: skip

    assert answer.json() == {"error": "invalid_grant"}


async def test_access_ends_after_an_hour(browser: httpx.AsyncClient, time: StandingClock) -> None:
    """Then 401, and the refresh token brings new access."""
    first = (await exchange(browser, (await consent(browser))["code"])).json()
    time.advance(3600)
    renewed = await token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert await pings(browser, first["access_token"]) == 401
    assert await pings(browser, renewed.json()["access_token"]) == 200


async def test_our_own_access_opens_handovers_only(browser: httpx.AsyncClient) -> None:
    """Client credentials see no company."""
    access = (await token(browser, grant_type="client_credentials")).json()["access_token"]

    answer = await browser.get(f"{API}/customers", headers={"Authorization": f"Bearer {access}"})

    assert refusal(answer) == (403, "forbidden")


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic eDp5", "Bearer"])
async def test_without_access_nothing_is_said(browser: httpx.AsyncClient, header: str) -> None:
    """401 comes before any look at what was asked."""
    answer = await browser.get(f"{API}/customers?limit=x", headers={"Authorization": header})

    assert refusal(answer) == (401, "unauthorized")


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "nobody"}, {"redirect_uri": "http://evil.test/"}, {"response_type": "token"},
     {"redirect_uri": f"{RETURN}/"}, {"code_challenge": "short"},
     {"code_challenge_method": "plain"}, {"state": "short"}],
    ids=str,
)  # fmt: skip
async def test_a_wrong_log_in_request_goes_nowhere(
    browser: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    """Neither page nor consent redirects to where a request says, if anything in it is wrong."""
    page = await browser.get(urlsplit((await begin(browser)).json()["handoverUrl"]).path)
    query = {k: v[0] for k, v in parse_qs(urlsplit(page.headers["location"]).query).items()}

    shown = await browser.get("/oauth/authorize", params=query | wrong)
    went = await browser.post("/oauth/consent", data={**query, **wrong, "login": "cmp_1"})

    assert (shown.status_code, went.status_code) == (400, 400)
    assert "location" not in went.headers


async def test_a_registered_address_needs_no_handover(
    browser: httpx.AsyncClient, control: Control, store: Store
) -> None:
    """A client may return to what it registered; a trial gets a made-up name there."""
    uri = "https://app.example/back"
    body = {"id": "app", "secret": "app-secret", "redirectUris": [uri]}
    await control("POST", "/clients", body)
    query = {
        "response_type": "code", "client_id": "app", "redirect_uri": uri, "state": "s" * 20,
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip

    went = await browser.post("/oauth/consent", data={**query, "login": "register"})

    assert went.headers["location"].startswith(f"{uri}?code=")
    assert "handover" not in went.headers["location"]
    assert store.companies["cmp_3"].facts["name"] == "Ny AS"


async def test_a_cancelled_handover_is_over(browser: httpx.AsyncClient) -> None:
    """Its page is not shown any more, and it says why; cancelling again is fine."""
    access = (await token(browser, grant_type="client_credentials")).json()["access_token"]
    headers = {"Authorization": f"Bearer {access}"}
    one = (await begin(browser)).json()
    path = f"{API}/handovers/{one['id']}"
    cancelled = await browser.delete(path, headers=headers)
    read = await browser.get(path, headers=headers)
    page = await browser.get(urlsplit(one["handoverUrl"]).path)
    again = await browser.delete(path, headers=headers)

    assert (cancelled.status_code, read.json()["status"]) == (204, "cancelled")
    assert (page.status_code, again.status_code) == (400, 204)
    assert (await browser.get("/handover/hnd_99")).status_code == 400


async def test_a_late_handover_is_expired(browser: httpx.AsyncClient, time: StandingClock) -> None:
    """Half an hour after it began nobody logs in on it."""
    one = (await begin(browser)).json()
    time.advance(1801)
    access = (await token(browser, grant_type="client_credentials")).json()["access_token"]

    page = await browser.get(urlsplit(one["handoverUrl"]).path)
    read = await browser.get(
        f"{API}/handovers/{one['id']}", headers={"Authorization": f"Bearer {access}"}
    )

    assert read.json()["status"] == "expired"
    assert page.status_code == 400


@pytest.mark.parametrize("status", ["ended", "deactivated"])
async def test_an_ended_subscription_is_402(
    api: httpx.AsyncClient, control: Control, status: str
) -> None:
    """Every call says so until the company pays."""
    await control("POST", "/companies/cmp_1/subscription", {"status": status})
    ended = await api.get("/customers")
    await control("POST", "/companies/cmp_1/subscription", {"status": "active"})

    assert refusal(ended) == (402, "subscription_ended")
    assert (await api.get("/customers")).status_code == 200


async def test_access_taken_back_ends_at_once(api: httpx.AsyncClient, control: Control) -> None:
    """A person removes us in the app: the next call is 401."""
    await control("POST", "/companies/cmp_1/revoke")

    assert refusal(await api.get("/ping")) == (401, "unauthorized")
