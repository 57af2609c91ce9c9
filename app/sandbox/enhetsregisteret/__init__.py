"""
Be Enhetsregisteret's twin: main units, sub-units, and what becomes of them (facts of 2026-11).

Answers as public clients describe it: names in capitals, no ``_embedded`` when nothing is found,
404 for an unknown number, 410 for one struck off when told so. What its documentation does not
know, a parameter or a number of another form, is refused with 400: that holds us to it.
"""

import re
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.sandbox.faults import FaultBoard, FaultMiddleware, fault_of
from app.sandbox.seeds import SeedWorld

Record = dict[str, Any]

PREFIX = "/enhetsregisteret/api"
NUMBER = re.compile("[0-9]{9}")
KNOWN = frozenset({"organisasjonsnummer", "size", "page"})


class Register:
    """Hold the units, who asked, and the faults to meet."""

    def __init__(self, units: list[Record]) -> None:
        self.units = {unit["organisasjonsnummer"]: unit for unit in units}
        self.board = FaultBoard()
        self.requests: list[str] = []

    def search(self, request: Request) -> Response:
        """Answer main units by number; sub-units and struck-off ones stand in no list."""
        query = request.query_params
        numbers = query.get("organisasjonsnummer", "").split(",")
        size = query.get("size", "20")
        if set(query) - KNOWN or not all(map(NUMBER.fullmatch, numbers)) or not size.isdigit():
            return _refused(400)
        listed = [
            self.units[number]
            for number in numbers
            if number in self.units and _is_main(self.units[number])
        ]
        shown = listed[: int(size)]
        page = {"size": int(size), "totalElements": len(listed), "totalPages": 1, "number": 0}
        return JSONResponse({"_embedded": {"enheter": shown}, "page": page} if shown else
                            {"page": page})  # fmt: skip

    def main_unit(self, request: Request) -> Response:
        """Answer one main unit; a struck-off one shortly, or 410 when told so."""
        return self._one(request, sub=False)

    def sub_unit(self, request: Request) -> Response:
        """Answer one sub-unit, with the number of its main unit."""
        return self._one(request, sub=True)

    def _one(self, request: Request, *, sub: bool) -> Response:
        number = request.path_params["number"]
        if not NUMBER.fullmatch(number):
            return _refused(400)
        unit = self.units.get(number)
        if unit is None or ("overordnetEnhet" in unit) is not sub:
            return _refused(404)
        if unit.get("410"):
            return _refused(410)
        return JSONResponse(unit)

    async def put(self, request: Request) -> Response:
        """Set a unit, or some of its members: ``{"konkurs": true}``; a test plays the register."""
        number = request.path_params["number"]
        body = await request.json()
        self.units[number] = {"organisasjonsnummer": number, **self.units.get(number, {}), **body}
        return JSONResponse(self.units[number])

    async def remove(self, request: Request) -> Response:
        """Forget a unit: its number is unknown from now on."""
        self.units.pop(request.path_params["number"], None)
        return JSONResponse({})

    async def state(self, _request: Request) -> Response:
        """Show all units and each call so far."""
        return JSONResponse({"units": list(self.units.values()), "requests": self.requests})

    async def faults(self, request: Request) -> Response:
        """Put a fault on the board."""
        self.board.add(fault_of(await request.json()))
        return JSONResponse({})


def create_twin(*, seed: SeedWorld) -> Starlette:
    """Build the register with every business of the world in it; ``state.twin`` is its store."""
    register = Register(units_of(seed))

    def noted(answer: Any) -> Any:  # noqa: ANN401 - one of the register's own answers
        async def endpoint(request: Request) -> Response:
            register.requests.append(request.url.path.removeprefix(PREFIX))
            response: Response = answer(request)
            return response

        return endpoint

    app = Starlette(
        routes=[
            Route(f"{PREFIX}/enheter", noted(register.search)),
            Route(f"{PREFIX}/enheter/{{number}}", noted(register.main_unit)),
            Route(f"{PREFIX}/underenheter/{{number}}", noted(register.sub_unit)),
            Route("/_control/units/{number}", register.put, methods=["PUT"]),
            Route("/_control/units/{number}", register.remove, methods=["DELETE"]),
            Route("/_control/state", register.state),
            Route("/_control/faults", register.faults, methods=["POST"]),
        ],
        middleware=[Middleware(FaultMiddleware, board=register.board)],
    )
    app.router.redirect_slashes = False
    app.state.twin = register
    return app


def units_of(world: SeedWorld) -> list[Record]:
    """Give a unit for each company that either side has with a number."""
    units: dict[str, Record] = {}
    for company in world.companies:
        for customer in company.customers:
            number, address = customer["organizationNumber"], customer["address"]
            if number:
                units[number] = _unit(number, customer["name"], address["line1"],
                                      address["postalCode"], address["city"])  # fmt: skip
    for organization in world.organizations:
        for customer in organization.customers:
            number = re.sub(r"\D", "", customer.get("orgNo", ""))
            if number:
                units[number] = _unit(
                    number, customer["name"], customer["customerAddressLine1"],
                    customer["customerAddressPostcode"].replace(" ", ""),
                    customer["customerAddressCity"],
                )  # fmt: skip
    return list(units.values())


def _unit(number: str, name: str, line: str | None, code: str | None, city: str | None) -> Record:
    place = {
        "adresse": [line or "Registergata 1"],
        "postnummer": code or "0150",
        "poststed": (city or "Oslo").upper(),
        "landkode": "NO",
    }
    return {
        "organisasjonsnummer": number,
        "navn": name.strip().upper(),
        "organisasjonsform": {"kode": "AS" if name.endswith(" AS") else "ENK"},
        "forretningsadresse": place,
        "konkurs": False,
        "underAvvikling": False,
        "underTvangsavviklingEllerTvangsopplosning": False,
    }


def _is_main(unit: Record) -> bool:
    return "overordnetEnhet" not in unit and "slettedato" not in unit and "410" not in unit


def _refused(status: int) -> Response:
    return JSONResponse({"status": status, "feilmelding": "…"}, status)
