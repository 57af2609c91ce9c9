import httpx
import pytest

from app.sandbox.conta.store import Organization, Store

OWN = "/invoice/organizations/1001"


@pytest.mark.parametrize("headers", [{"apiKey": "unknown"}, {"apiKey": ""}])
async def test_an_unknown_key_is_refused(conta: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Facts 1: one header, ``apiKey``; a key of another gateway gives 401."""
    answer = await conta.get("/invoice/ping", headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {"category": "API", "name": "ApiGatewayRestRequestException"}


async def test_a_key_that_was_switched_off_is_refused(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """Facts 1: a key is its user's; losing it loses everything."""
    user = {"user": "per@example.no", "organizations": [1001], "active": False}
    await control.post("keys", json={"key": "conta-demo-key", **user})

    answer = await conta.get("/invoice/ping")

    assert answer.status_code == 401


async def test_ping_answers_a_json_string(conta: httpx.AsyncClient) -> None:
    """Facts 1: the health check is 200 with a JSON string."""
    answer = await conta.get("/invoice/ping")

    assert answer.status_code == 200
    assert isinstance(answer.json(), str)


async def test_a_key_sees_only_its_users_organizations(
    conta: httpx.AsyncClient, control: httpx.AsyncClient
) -> None:
    """Facts 1 and 1.1: a key's user's own, as a bare array; no organization number in it."""
    first = (await conta.get("/invoice/organizations")).json()
    user = {"user": "per@example.no", "organizations": [1001, 2002]}
    await control.post("keys", json={"key": "both", **user})

    both = (await conta.get("/invoice/organizations", headers={"apiKey": "both"})).json()

    assert [set(o) for o in first] == [{"id", "name", "blockedStatus", "active"}]
    assert [o["id"] for o in both] == [1001, 2002]


async def test_a_foreign_organization_is_denied_like_an_unknown_one(
    conta: httpx.AsyncClient,
) -> None:
    """Facts 9: 403 OrgAccessDeniedException."""
    foreign = await conta.get("/invoice/organizations/2002/customers")
    unknown = await conta.get("/invoice/organizations/3/customers")

    assert foreign.status_code == 403
    assert (
        foreign.json() == unknown.json() == {"category": "API", "name": "OrgAccessDeniedException"}
    )


@pytest.mark.parametrize(
    ("status", "reads", "writes"),
    [
        ("NOT_BLOCKED_PURCHASE_BY_INVOICE_RESTRICTED", 200, 200),
        ("MISSING_PAYMENTS", 200, 403),
        ("BY_ADMIN", 403, 403),
        ("DELETED", 403, 403),
    ],
)
async def test_a_blocked_organization_is_refused(
    conta: httpx.AsyncClient, person: httpx.AsyncClient, status: str, reads: int, writes: int
) -> None:
    """Facts 1.1 and 9: OrgBlockedException; which deeds each status stops is guessed."""
    await person.post("blocked", json={"status": status})

    read = await conta.get(f"{OWN}/customers")
    write = await conta.post(f"{OWN}/projects", json={"name": "Nytt"})

    assert (read.status_code, write.status_code) == (reads, writes)


async def test_a_read_only_organization_refuses_writes_with_500(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 9: OrgReadOnlyModeException is a 500 that retrying does not mend."""
    await person.post("read-only", json={"on": True})

    write = await conta.post(f"{OWN}/projects", json={"name": "Nytt"})

    assert write.status_code == 500
    assert write.json()["name"] == "OrgReadOnlyModeException"
    assert (await conta.get(f"{OWN}/customers")).status_code == 200


async def test_the_plan_lists_features_and_no_name(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 1.2: ``allowedFeatures`` is a plain list of names; the plan's name is not told."""
    await person.post("plan", json={"features": ["ALLOW_BOOKKEEPING"]})

    plan = (await conta.get(f"{OWN}/subscription-plan")).json()

    assert plan["allowedFeatures"] == ["ALLOW_BOOKKEEPING"]
    assert "name" not in plan


async def test_projects_need_the_smart_plan(
    conta: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    """Facts 1.2: what a project call answers without the right is unknown; 422 is guessed."""
    await person.post("plan", json={"features": []})

    answer = await conta.get(f"{OWN}/projects")

    assert answer.status_code == 422
    assert answer.json()["name"] == "SubscriptionPlanException"


async def test_an_unknown_path_and_a_wrong_method_have_their_own_names(
    conta: httpx.AsyncClient,
) -> None:
    """Facts 1.1 and 9: 404 UrlNotFoundException and 405 UrlMethodNotFoundException."""
    path = await conta.get("/organizations")
    method = await conta.delete(f"{OWN}/customers/10001")

    assert (path.status_code, path.json()["name"]) == (404, "UrlNotFoundException")
    assert (method.status_code, method.json()["name"]) == (405, "UrlMethodNotFoundException")


@pytest.mark.parametrize(
    "body", [b'{"name":', b'{"name": NaN}', b"[" * 100_000, b"\xff", b"", b"[1e309]"]
)
async def test_a_body_that_is_no_json_is_refused(conta: httpx.AsyncClient, body: bytes) -> None:
    """Facts 9: 400 RestRequestException."""
    answer = await conta.post(
        f"{OWN}/projects", content=body, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json()["name"] == "RestRequestException"


async def test_the_account_is_the_keys_user(conta: httpx.AsyncClient, store: Store) -> None:
    """Facts 1: ``account/settings`` returns the user whose key it is."""
    settings = (await conta.get("/invoice/account/settings")).json()

    assert settings["emailAddress"] == store.keys["conta-demo-key"].user
    assert settings["defaultOrgId"] == 1001


async def test_accounts_come_as_a_bare_array_and_prove_nothing(
    conta: httpx.AsyncClient, own: Organization
) -> None:
    """Facts 6: the chart lists a VAT code that drafts are refused with."""
    own.vat_codes = set()
    path = "/accounting/organizations/1001/bookkeeping-accounts"
    span = {"startBookkeepingAccountNo": "3000", "endBookkeepingAccountNo": "3000"}

    accounts = (await conta.get(path, params=span)).json()

    assert [(a["bookkeepingAccountNo"], a["vatCode"]) for a in accounts] == [
        ("3000", "output.high")
    ]


async def test_the_register_gives_numbers_as_integers_and_no_address(
    conta: httpx.AsyncClient, own: Organization
) -> None:
    """Facts 3.4: company search has an integer ``orgNo`` and no address."""
    found = (
        await conta.get("/invoice/enhetsregisteret/search", params={"q": own.organization_number})
    ).json()

    assert found["hits"] == [{"orgNo": int(own.organization_number), "name": own.name}]
