"""The twin's control calls and its page for people."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.sandbox.timerabbit import create_twin
from app.sandbox.timerabbit.store import Company, Store
from tests.sandbox.timerabbit.conftest import Control


async def test_the_store_shows_everything_a_company_has(control: Control, own: Company) -> None:
    """Tests judge by the twin's own store."""
    state = await control("GET", "/state")

    company = next(c for c in state["companies"] if c["id"] == "cmp_1")
    assert len(company["customers"]) == len(own.customers)
    assert {"projects", "employees", "entries", "transfers", "subscriptions", "link"} <= set(
        company
    )
    assert state["now"] == "2026-11-24T09:00:00.000000Z"


async def test_calls_are_seen_until_they_are_forgotten(
    control: Control, api: httpx.AsyncClient
) -> None:
    """Method, path, status and time of each call; control calls are none."""
    await api.get("/ping")
    await api.get("/customers/cus_9999")
    seen = (await control("GET", "/requests"))["requests"]
    await control("DELETE", "/requests")

    assert [(r["path"], r["status"]) for r in seen] == [
        ("/integration/v1/ping", 200), ("/integration/v1/customers/cus_9999", 404),
    ]  # fmt: skip
    assert (await control("GET", "/requests"))["requests"] == []


async def test_what_a_client_sends_wrongly_is_noted(
    control: Control, api: httpx.AsyncClient
) -> None:
    """The contract's notes on our calls; a test that sends none wrongly finds none."""
    await api.get("/ping")
    before = await control("GET", "/violations")
    await api.get("/customers", params={"limit": "x"})
    after = await control("GET", "/violations")
    await control("DELETE", "/violations")

    assert before["requests"] == []
    assert after["requests"][0]["path"] == "/integration/v1/customers"
    assert (await control("GET", "/violations"))["requests"] == []


async def test_faults_are_set_and_cleared(control: Control, api: httpx.AsyncClient) -> None:
    """A fault page is a problem of the twin's own form."""
    made = await control("POST", "/faults", {"kind": "status_before", "status": 503})
    broken = await api.get("/ping")
    board = await control("GET", "/faults")
    await control("DELETE", "/faults")

    assert (broken.status_code, broken.json()["code"]) == (503, "fault")
    assert [fault["id"] for fault in board["faults"]] == [made["id"]]
    assert (await api.get("/ping")).status_code == 200


async def test_time_moves_on_demand(control: Control) -> None:
    """The twin's clock is the test's."""
    now = (await control("POST", "/clock", {"advanceSeconds": 90}))["now"]

    assert now == "2026-11-24T09:01:30.000000Z"


async def test_a_world_is_put_in_place_of_the_old_one(control: Control, store: Store) -> None:
    """By name or by size; logins end, clients stay."""
    named = await control("POST", "/seed", {"name": "demo"})
    sized = await control("POST", "/seed", {"size": 25, "seed": 3})

    assert named == sized == {"companies": ["cmp_1", "cmp_2"]}
    assert len(store.companies["cmp_1"].customers) >= 25
    assert "timerabbit-conta" in store.clients


async def test_tokens_of_people_and_access_of_ours_are_made(
    control: Control, browser: httpx.AsyncClient
) -> None:
    """A person's JWT for our service; access to a company for a client."""
    body = {"subject": "kari", "accounts": ["cmp_1"], "role": "user"}
    token = (await control("POST", "/tokens", body))["token"]
    access = await control("POST", "/companies/cmp_1/access-token", {})
    keys = (await browser.get("/.well-known/jwks.json")).json()["keys"]

    assert token.count(".") == 2
    assert [key["kid"] for key in keys] == ["timerabbit-1"]
    assert "d" not in keys[0]
    ping = await browser.get(
        "/integration/v1/ping", headers={"Authorization": f"Bearer {access['access_token']}"}
    )
    assert ping.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/companies/cmp_9/revoke", {}, 404),
        ("POST", "/companies/cmp_1/aliens", {}, 404),
        ("PATCH", "/companies/cmp_1/customers/cus_9999", {}, 404),
        ("POST", "/companies/cmp_1/customers/cus_1/merge", {"into": "cus_9999"}, 404),
        ("POST", "/consent", {"handoverUrl": "http://timerabbit.test/handover/hnd_9"}, 404),
        ("POST", "/faults", {"kind": "earthquake"}, 400),
        ("POST", "/faults", {"kind": "latency", "unknown": 1}, 400),
        ("POST", "/clock", {"advanceSeconds": "soon"}, 400),
        ("POST", "/seed", {}, 404),
    ],
    ids=str,
)  # fmt: skip
async def test_a_wrong_control_call_says_what_is_wrong(
    control: Control, method: str, path: str, body: Any, status: int
) -> None:
    """A test that plays a person wrongly is told so, and nothing changes."""
    answer = await control(method, path, body, status=status)

    assert answer["error"]


async def test_a_finished_handover_cannot_be_consented_to(control: Control, store: Store) -> None:
    """A person cannot press the button of a page that is over."""
    store.handovers["hnd_1"] = {
        "shown": {"id": "hnd_1", "status": "completed", "expiresAt": "2027-01-01T00:00:00.000000Z"},
        "asked": {
            "returnUrl": "http://conta.test/x", "state": "s" * 20, "codeChallenge": "c" * 43,
            "codeChallengeMethod": "S256",
        },
        "client": "timerabbit-conta",
    }  # fmt: skip

    body = {"handoverUrl": "http://timerabbit.test/handover/hnd_1"}
    over = await control("POST", "/consent", body, status=400)
    store.handovers["hnd_1"]["shown"]["status"] = "pending"
    store.handovers["hnd_1"]["asked"]["codeChallenge"] = "short"
    wrong = await control("POST", "/consent", body, status=400)

    assert (over["error"], wrong["error"]) == ("the handover is over", "PKCE (S256) kreves.")


async def test_settings_are_merged_and_counted(control: Control, own: Company) -> None:
    """A person turns billable hours off; the rest stays."""
    await control("POST", "/companies/cmp_1/settings", {"billableHours": {"enabled": False}})

    assert own.settings["billableHours"]["enabled"] is False
    assert own.settings["billableHours"]["defaultHourlyRate"] == "950"
    assert own.settings["version"] == 2


async def test_the_page_shows_and_renames_customers(
    browser: httpx.AsyncClient, own: Company, control: Control
) -> None:
    """Plain forms, nothing from elsewhere; names are text, never markup."""
    await control("PATCH", "/companies/cmp_1/customers/cus_1", {"name": "<b>Fet</b> AS"})
    await control("POST", "/companies/cmp_1/customers/cus_3/delete")

    page = await browser.get("/")
    form = {"company": "cmp_1", "id": "cus_2", "name": "Omdøpt AS"}
    renamed = await browser.post("/", data=form)

    assert "&lt;b&gt;Fet&lt;/b&gt; AS" in page.text
    assert "<b>Fet" not in page.text
    assert "value=cus_3>" not in page.text
    assert "http" not in page.text
    assert renamed.status_code == 303
    assert own.customers["cus_2"]["name"] == "Omdøpt AS"


async def test_a_twin_of_its_own_making_holds_the_demo() -> None:
    """Without arguments it tells the real time and holds the told world; it closes cleanly."""
    twin: Starlette = create_twin()
    async with twin.router.lifespan_context(twin):
        twin.state.served_at("http://127.0.0.1:9")

    assert twin.state.twin.issuer.url == "http://127.0.0.1:9"
    assert len(twin.state.twin.companies["cmp_1"].customers) >= 40
