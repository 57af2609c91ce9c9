"""Prove that the contract's checks see what is wrong."""

import pytest

from app.sandbox.openapi import Call, Contract

JSON = {"content-type": "application/json"}
LIST = "/invoice/organizations/1/customers"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract("conta")


def request_rules(contract: Contract, method: str, path: str, call: Call) -> list[str]:
    found = contract.find(method, path)
    assert found is not None
    return [flaw.rule for flaw in contract.request_flaws(*found, call)]


@pytest.mark.parametrize(
    ("method", "path", "call", "rules"),
    [
        ("GET", LIST, Call(query=b"hits=0&sort=-id"), []),
        ("GET", LIST, Call(query=b"hits=many"), ["type"]),
        ("GET", LIST, Call(query=b"modifiedFromDate=2026-02-30"), ["format"]),
        ("GET", "/invoice/organizations/x/customers", Call(), ["type"]),
        ("GET", f"{LIST}/9223372036854775808", Call(), ["maximum"]),
        ("POST", LIST, Call(headers=JSON), ["required"]),
        ("POST", LIST, Call(headers=JSON, body=b"{"), ["unreadable"]),
        ("POST", LIST, Call(headers=JSON, body=b'{"name": NaN}'), ["unreadable"]),
        ("POST", LIST, Call(headers={"content-type": "text/csv"}, body=b"a"), ["content-type"]),
    ],
)
def test_flaws_of_a_request_are_named_by_rule(
    contract: Contract, method: str, path: str, call: Call, rules: list[str]
) -> None:
    """Form, range, format, kind and readability are all checked."""
    assert request_rules(contract, method, path, call) == rules


@pytest.mark.parametrize(
    ("status", "headers", "body", "rules"),
    [
        (200, JSON, b'{"hitCount": 0}', []),
        (200, JSON, b'{"hits": []}', ["required"]),
        (200, {"content-type": "text/html"}, b"<p>", ["content-type"]),
        (418, JSON, b"{}", ["status"]),
    ],
)
def test_flaws_of_an_answer_are_named_by_rule(
    contract: Contract, status: int, headers: dict[str, str], body: bytes, rules: list[str]
) -> None:
    """The twin's own answers are held to the same document."""
    found = contract.find("GET", LIST)
    assert found is not None

    flaws = contract.answer_flaws(found[0], status, headers, body)

    assert [flaw.rule for flaw in flaws] == rules


def test_paths_know_their_template_and_methods(contract: Contract) -> None:
    """An unknown path is its own template and has no methods."""
    assert contract.methods(LIST) == {"GET", "POST"}
    assert contract.template("GET", f"{LIST}/7").endswith("/customers/{id}")
    assert contract.template("GET", "/nowhere") == "/nowhere"
    assert contract.methods("/nowhere") == set()


def test_headers_and_forms_are_checked_where_a_contract_has_them() -> None:
    """Timerabbit's contract requires headers; its paths may stand behind a prefix."""
    contract = Contract("timerabbit", prefix="/integration/v1")

    rules = request_rules(contract, "PATCH", "/integration/v1/customers/cus_1", Call())

    assert contract.find("GET", "/customers") is None
    assert "required" in rules


def test_a_path_with_servers_of_its_own_stands_beside_the_prefix() -> None:
    """So does the token endpoint, whose form is checked like any body."""
    contract = Contract("timerabbit", prefix="/integration/v1")
    form = {"content-type": "application/x-www-form-urlencoded"}

    rules = [
        request_rules(contract, "POST", "/oauth/token", Call(headers=form, body=body))
        for body in (b"grant_type=refresh_token&refresh_token=a", b"grant_type=a", b"code=\xff")
    ]

    assert contract.find("POST", "/integration/v1/oauth/token") is None
    assert contract.template("POST", "/oauth/token") == "/oauth/token"
    assert rules == [[], ["enum"], ["unreadable"]]
