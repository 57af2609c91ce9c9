"""Put each client before its twin, with a person beside it; hold requests to the contract."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx
import pytest

from app.canonical import RecordId, RecordKind
from app.sandbox.conta import create_twin as create_conta
from app.sandbox.seeds import size
from app.sandbox.timerabbit import create_twin as create_timerabbit
from app.settings import Settings
from app.systems.conta.client import ContaClient, ContaSystem
from app.systems.ports import RecordKeeper, Tokens
from app.systems.timerabbit.client import TimerabbitClient, TimerabbitSystem

TODAY = datetime.now(UTC).date()


class Person(Protocol):
    """Do what a person does in the system's own pages; records are in the system's own words."""

    name: str
    keeper: RecordKeeper
    stranger: RecordKeeper
    unsynced: dict[str, Any]
    """Members of a customer that we never sync, as a person fills them in."""

    async def add_customer(self, name: str, **more: Any) -> RecordId: ...

    async def edit_customer(self, id_: RecordId, **fields: Any) -> None: ...

    async def delete_customer(self, id_: RecordId) -> None: ...

    async def customer(self, id_: RecordId) -> dict[str, Any]: ...

    async def ids(self, kind: RecordKind) -> set[str]: ...

    async def fault(self, kind: str, **more: Any) -> None: ...


class Control:
    """Speak with a twin's ``/_control``."""

    def __init__(self, app: Any, base_url: str) -> None:
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url=f"{base_url}/_control"
        )

    async def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self._http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def close(self) -> None:
        await self._http.aclose()


@dataclass
class ContaPerson:
    """Be Kari of organization 1001 in Conta's web app."""

    control: Control
    keeper: ContaClient
    stranger: ContaClient
    name: str = "conta"

    unsynced = {
        "daysUntilPaymentReminder": 30,
        "defaultInvoiceDiscount": 2.5,
        "contacts": [{"name": "Ola", "title": "Innkjøper"}],
        "mailingAddressLine1": "Postboks 1",
        "mailingAddressPostcode": "0101",
        "mailingAddressCity": "Oslo",
    }

    async def add_customer(self, name: str, **more: Any) -> RecordId:
        body = {
            "name": name,
            "customerType": "ORGANIZATION",
            "customerAddressLine1": "Storgata 1",
            "customerAddressPostcode": "0155",
            "customerAddressCity": "Oslo",
        }
        made = await self.control("POST", "/organizations/1001/customers", body | more)
        return RecordId(str(made["id"]))

    async def edit_customer(self, id_: RecordId, **fields: Any) -> None:
        words = {"name": "name", "phone": "phoneNo", "active": "isActive"}
        body = {words[name]: value for name, value in fields.items()}
        await self.control("PATCH", f"/organizations/1001/customers/{id_}", body)

    async def delete_customer(self, id_: RecordId) -> None:
        await self.control("POST", f"/organizations/1001/customers/{id_}/delete")

    async def customer(self, id_: RecordId) -> dict[str, Any]:
        kept = (await self._own())["customers"]
        return next(record for record in kept if str(record["id"]) == id_)

    async def ids(self, kind: RecordKind) -> set[str]:
        return {str(record["id"]) for record in (await self._own())[f"{kind.value}s"]}

    async def fault(self, kind: str, **more: Any) -> None:
        await self.control("POST", "/faults", {"kind": kind, **more})

    async def _own(self) -> dict[str, Any]:
        state = await self.control("GET", "/state")
        own: dict[str, Any] = state["organizations"][0]
        return own


@pytest.fixture
async def conta() -> AsyncIterator[ContaPerson]:
    """Conta's twin with twelve customers; every request must have kept to the contract."""
    twin = create_conta(seed=size(12, seed=7, today=TODAY))
    control = Control(twin, "http://conta.test")
    system = ContaSystem.from_settings(
        Settings(conta_url="http://conta.test", conta_calls_per_second=1000),
        transport=httpx.ASGITransport(app=twin),
    )
    person = ContaPerson(
        control,
        system.open("1001", "conta-demo-key", pace_key="link-1"),
        system.open("1001", "conta-foreign-key", pace_key="link-2"),
    )
    yield person
    violations = await control("GET", "/violations")
    await control.close()
    await system.close()
    assert violations["requests"] == []


@dataclass
class TimerabbitPerson:
    """Be Kari of company cmp_1 in Timerabbit's app."""

    control: Control
    system: TimerabbitSystem
    keeper: TimerabbitClient
    stranger: TimerabbitClient
    twin: Any
    name: str = "timerabbit"

    unsynced = {
        "number": "4711",
        "notes": "Ring før ti",
        "hourlyRate": "1100",
        "contacts": [{"id": "con_1", "name": "Ola"}],
        "invoiceAddress": {"line1": "Postboks 1", "postalCode": "0101", "city": "Oslo"},
    }

    async def add_customer(self, name: str, **more: Any) -> RecordId:
        body = {"name": name, "kind": "company", **more}
        return RecordId((await self.control("POST", f"{COMPANY}/customers", body))["id"])

    async def edit_customer(self, id_: RecordId, **fields: Any) -> None:
        await self.control("PATCH", f"{COMPANY}/customers/{id_}", fields)

    async def delete_customer(self, id_: RecordId) -> None:
        await self.control("POST", f"{COMPANY}/customers/{id_}/delete")

    async def customer(self, id_: RecordId) -> dict[str, Any]:
        kept = (await self.own())["customers"]
        return next(record for record in kept if record["id"] == id_)

    async def ids(self, kind: RecordKind) -> set[str]:
        return {record["id"] for record in (await self.own())[f"{kind.value}s"]}

    async def fault(self, kind: str, **more: Any) -> None:
        await self.control("POST", "/faults", {"kind": kind, **more})

    async def own(self) -> dict[str, Any]:
        state = await self.control("GET", "/state")
        own: dict[str, Any] = state["companies"][0]
        return own


COMPANY = "/companies/cmp_1"


@pytest.fixture
async def timerabbit(tokens: Any) -> AsyncIterator[TimerabbitPerson]:
    """Timerabbit's twin with twelve customers; every request must have kept to the contract."""
    twin = create_timerabbit(seed=size(12, seed=7, today=TODAY))
    control = Control(twin, "http://timerabbit.test")
    system = TimerabbitSystem.from_settings(
        Settings.model_validate(
            {
                "timerabbit_url": "http://timerabbit.test",
                "timerabbit_client_secret": "sandbox-secret",
                "timerabbit_calls_per_second": 1000,
            }
        ),
        transport=httpx.ASGITransport(app=twin),
    )

    async def log_in(company: str, keeper: Any) -> Any:
        granted = await control("POST", f"/companies/{company}/access-token", {})
        keeper.kept = Tokens(granted["access_token"], granted["refresh_token"], datetime.now(UTC))
        return keeper

    person = TimerabbitPerson(
        control,
        system,
        system.open(await log_in("cmp_1", tokens), pace_key="link-1"),
        system.open(await log_in("cmp_2", type(tokens)()), pace_key="link-2"),
        twin,
    )
    yield person
    violations = await control("GET", "/violations")
    await twin.state.hooks.close()
    await control.close()
    await system.close()
    assert violations["requests"] == []


@pytest.fixture(params=["conta", "timerabbit"])
def person(request: pytest.FixtureRequest) -> Person:
    """Each system in turn."""
    chosen: Person = request.getfixturevalue(request.param)
    return chosen
