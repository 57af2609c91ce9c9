"""The register's client: on recorded samples, and on its twin."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from app.canonical import Address
from app.sandbox.enhetsregisteret import PREFIX, create_twin
from app.sandbox.seeds import demo
from app.settings import Settings
from app.systems.enhetsregisteret.client import MOST_AT_ONCE, Enhetsregisteret
from app.systems.ports import NotFound, RateLimited, Unreachable
from app.systems.register import Business
from tests.worlds import BEGIN

SAMPLES = Path(__file__).parent / "samples"
NUMBER, SUB, GONE, UNKNOWN = "860001381", "860001462", "860001543", "999000111"
ADDRESS = f"http://register.test{PREFIX}"


def sample(name: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=(SAMPLES / f"{name}.json").read_bytes())


def listing(*names: str) -> httpx.Response:
    units = [json.loads((SAMPLES / f"{name}.json").read_text()) for name in names]
    return httpx.Response(200, json={"_embedded": {"enheter": units}, "page": {"size": 50}})


@pytest.fixture
def router() -> respx.MockRouter:
    return respx.MockRouter(base_url=ADDRESS, assert_all_called=False)


@pytest.fixture
async def register(router: respx.MockRouter) -> AsyncIterator[Enhetsregisteret]:
    opened = opened_on(httpx.MockTransport(router.async_handler))
    yield opened
    await opened.close()


def opened_on(network: httpx.AsyncBaseTransport) -> Enhetsregisteret:
    settings = Settings(enhetsregisteret_url=ADDRESS, enhetsregisteret_calls_per_second=1000)
    return Enhetsregisteret.from_settings(settings, transport=network)


async def test_a_unit_is_read_with_what_may_become_of_it(
    register: Enhetsregisteret, router: respx.MockRouter
) -> None:
    """Name as the register writes it, the place of business, and that it is being wound up."""
    router.get("/enheter").mock(listing("unit"))

    found = await register.look_up([NUMBER])

    assert found == {
        NUMBER: Business(
            NUMBER,
            "OPPDIKTET RÅDGIVNING AS",
            "AS",
            Address("c/o Oppdiktet Holding AS", "Eksempelveien 1", "0150", "OSLO", "NO"),
            liquidating=True,
        )
    }


async def test_many_numbers_are_one_call_and_the_rest_is_asked_one_by_one(
    register: Enhetsregisteret, router: respx.MockRouter
) -> None:
    """A sub-unit names its main unit, a struck-off one stands in no list, one is unknown."""
    listed = router.get("/enheter").mock(listing("unit"))
    router.get(f"/underenheter/{SUB}").mock(sample("sub-unit"))
    router.get(f"/enheter/{GONE}").mock(sample("struck-off"))
    router.route().mock(httpx.Response(404))

    found = await register.look_up([UNKNOWN, GONE, SUB, NUMBER])

    assert dict(listed.calls[0].request.url.params) == {
        "organisasjonsnummer": f"{NUMBER},{SUB},{GONE},{UNKNOWN}", "size": "50",
    }  # fmt: skip
    assert found[UNKNOWN] is None
    assert found[GONE] == Business(GONE, "BORTE AS", struck_off=True)
    sub = found[SUB]
    assert sub is not None
    assert sub.main_unit == NUMBER
    assert sub.address == Address("Postboks 7", None, "5003", "BERGEN", "NO")


async def test_a_number_that_is_gone_is_struck_off(
    register: Enhetsregisteret, router: respx.MockRouter
) -> None:
    """Older notes say 410 for what was struck off; nothing more is known of it."""
    router.get("/enheter").mock(sample("list-empty"))
    router.get(f"/underenheter/{GONE}").mock(httpx.Response(404))
    router.get(f"/enheter/{GONE}").mock(httpx.Response(410))

    assert await register.look_up([GONE]) == {GONE: Business(GONE, struck_off=True)}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (httpx.Response(503), Unreachable),
        (httpx.ConnectError("down"), Unreachable),
        (httpx.Response(200, content=b"<html>"), Unreachable),
        (httpx.Response(200, json=[]), Unreachable),
        (httpx.Response(200, json={"_embedded": {"enheter": 5}, "page": {}}), Unreachable),
        (httpx.Response(403), Unreachable),
        (httpx.Response(404), NotFound),
        (httpx.Response(429), RateLimited),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_never_an_unknown_number(
    register: Enhetsregisteret, router: respx.MockRouter, answer: Any, fault: type[Exception]
) -> None:
    """A register that is ill must not make sound customers look unknown."""
    told = router.get("/enheter")
    told.mock(side_effect=answer) if isinstance(answer, Exception) else told.mock(answer)

    with pytest.raises(fault):
        await register.look_up([NUMBER])


ODD = [{"konkurs": "ja"}, {"navn": 5}, {"overordnetEnhet": "12"}]


@pytest.mark.parametrize("odd", ODD)
async def test_a_unit_that_cannot_be_read_hides_no_other(
    register: Enhetsregisteret, router: respx.MockRouter, odd: dict[str, Any]
) -> None:
    """It is neither guessed at nor unknown, and asked for no more; the others are answered."""
    told = json.loads(listing("unit").content)
    told["_embedded"]["enheter"] += [
        {"organisasjonsnummer": SUB, **odd}, {"organisasjonsnummer": 7}, {"navn": "X"}, None,
    ]  # fmt: skip
    router.get("/enheter").mock(httpx.Response(200, json=told))
    router.route().mock(httpx.Response(404))

    found = await register.look_up([NUMBER, SUB, UNKNOWN])

    assert set(found) == {NUMBER, UNKNOWN}
    assert found[NUMBER] is not None
    assert found[UNKNOWN] is None
    assert len(router.calls) == 1 + 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"organisasjonsnummer": SUB, "konkurs": "ja"}),
        httpx.Response(200, json={"organisasjonsnummer": NUMBER}),
        httpx.Response(200, json=None),
        httpx.Response(200, content=b"<html>"),
        httpx.Response(400),
    ],
    ids=["member", "another", "nothing", "page", "refused"],
)
async def test_an_odd_answer_about_one_number_hides_no_other(
    register: Enhetsregisteret, router: respx.MockRouter, answer: httpx.Response
) -> None:
    """A sub-unit is asked for by itself; what is odd about it is no verdict on it."""
    router.get("/enheter").mock(httpx.Response(200, json={}))
    router.get(f"/underenheter/{SUB}").mock(answer)
    router.get(f"/enheter/{NUMBER}").mock(sample("unit"))
    router.route().mock(httpx.Response(404))

    found = await register.look_up([NUMBER, SUB, UNKNOWN])

    assert set(found) == {NUMBER, UNKNOWN}
    assert found[NUMBER] is not None


async def test_a_list_refused_for_one_number_is_read_for_the_others(
    register: Enhetsregisteret, router: respx.MockRouter
) -> None:
    """One number that the register takes for malformed costs no other its answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        numbers = request.url.params["organisasjonsnummer"].split(",")
        if UNKNOWN in numbers:
            return httpx.Response(400)
        return listing(*(["unit"] if NUMBER in numbers else []))

    router.get("/enheter").mock(side_effect=answer)
    router.get(f"/underenheter/{UNKNOWN}").mock(httpx.Response(400))
    router.get(f"/underenheter/{SUB}").mock(sample("sub-unit"))
    router.route().mock(httpx.Response(404))

    found = await register.look_up([NUMBER, SUB, GONE, UNKNOWN])

    assert set(found) == {NUMBER, SUB, GONE}
    assert found[GONE] is None
    assert [one is not None for one in (found[NUMBER], found[SUB])] == [True, True]


async def test_nothing_is_asked_for_nothing_and_too_much_is_a_fault_of_ours(
    register: Enhetsregisteret, router: respx.MockRouter
) -> None:
    """The size of a look-up is bounded."""
    assert await register.look_up([]) == {}
    with pytest.raises(ValueError, match="at most 50"):
        await register.look_up([f"{n:09d}" for n in range(MOST_AT_ONCE + 1)])
    assert len(router.calls) == 0


async def test_the_twin_answers_as_the_register_does() -> None:
    """Batch, sub-unit, struck off in both forms and unknown: the client reads the twin."""
    twin = create_twin(seed=demo(BEGIN.date()))
    store = twin.state.twin
    known = sorted(store.units)[:3]
    store.units[SUB] = {"organisasjonsnummer": SUB, "navn": "AVD", "overordnetEnhet": known[0]}
    store.units[known[1]]["slettedato"] = "2026-01-01"
    store.units[known[2]]["410"] = True
    client = opened_on(httpx.ASGITransport(twin))

    found = await client.look_up([*known, SUB, UNKNOWN])

    sound, gone, told_gone, sub = (found[one] for one in (*known, SUB))
    assert sound is not None
    assert sound.name.isupper()
    assert sound.address is not None
    assert gone is not None
    assert gone.struck_off
    assert told_gone == Business(known[2], struck_off=True)
    assert sub is not None
    assert sub.main_unit == known[0]
    assert found[UNKNOWN] is None
    assert len(store.requests) == 1 + 1 + 2 * 3
    await client.close()


@pytest.mark.parametrize("path", ["/enheter?organisasjonsnummer=12", "/enheter?orgnr=860001381",
                                  "/enheter/12", "/underenheter/x"])  # fmt: skip
async def test_the_twin_refuses_what_the_register_does_not_know(path: str) -> None:
    """A malformed number is 400; an unknown parameter too, so that a slip of ours is noticed."""
    twin = create_twin(seed=demo(BEGIN.date()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(twin)) as client:
        answer = await client.get(f"{ADDRESS}{path}")

    assert answer.status_code == 400
