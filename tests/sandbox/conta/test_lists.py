from datetime import timedelta

import httpx
import pytest

from app.sandbox.conta.store import Organization, Store
from app.sandbox.faults import Fault, FaultKind

OWN = "/invoice/organizations/1001"


async def test_a_list_shows_twenty_unless_asked(conta: httpx.AsyncClient) -> None:
    """Facts 2: the page size is 20 by default, pages are counted from 0."""
    page = (await conta.get(f"{OWN}/customers")).json()

    assert (len(page["hits"]), page["hitCount"], page["pageCount"]) == (20, 40, 2)


async def test_zero_hits_means_everything(conta: httpx.AsyncClient) -> None:
    """Facts 2: ``hits=0`` gives all rows."""
    page = (await conta.get(f"{OWN}/customers", params={"hits": 0})).json()

    assert (len(page["hits"]), page["pageCount"]) == (40, 1)


async def test_pages_are_counted_from_zero(conta: httpx.AsyncClient) -> None:
    """Facts 2: page 1 is the second page."""
    whole = (await conta.get(f"{OWN}/customers", params={"hits": 0})).json()["hits"]

    second = (await conta.get(f"{OWN}/customers", params={"hits": 15, "page": 1})).json()["hits"]

    assert second == whole[15:30]


@pytest.mark.parametrize("params", [{"q": "finnes ikke"}, {"page": 9}])
async def test_an_empty_page_has_no_hits_member(
    conta: httpx.AsyncClient, params: dict[str, str | int]
) -> None:
    """Facts 2: with no result ``hits`` may be missing; ``hitCount`` is there."""
    page = (await conta.get(f"{OWN}/customers", params=params)).json()

    assert "hits" not in page
    assert "hitCount" in page


@pytest.mark.parametrize(
    ("sort", "backwards"), [("id", False), ("+id", False), ("-id", True), ("nonsense,-id", True)]
)
async def test_lists_sort_by_plus_minus_or_bare_names(
    conta: httpx.AsyncClient, sort: str, *, backwards: bool
) -> None:
    """Facts 2: ``sort`` takes names with ``+`` or ``-``; a bare name works too."""
    page = (await conta.get(f"{OWN}/customers", params={"hits": 0, "sort": sort})).json()

    ids = [hit["id"] for hit in page["hits"]]
    assert ids == sorted(ids, reverse=backwards)


@pytest.mark.parametrize("part", ["tyttebærlia", "86000138", "post@blatroll"])
async def test_q_finds_parts_of_name_number_and_mail(conta: httpx.AsyncClient, part: str) -> None:
    """Facts 2 and 3: ``q`` looks in the searchable fields, parts of words match."""
    page = (await conta.get(f"{OWN}/customers", params={"q": part})).json()

    assert page["hitCount"] >= 1
    assert part in str(page["hits"][0]).casefold()


async def test_from_date_means_created(conta: httpx.AsyncClient, store: Store) -> None:
    """Facts 2: ``fromDate`` and ``toDate`` filter on the day of creation."""
    store.clock.advance(timedelta(days=3).total_seconds())
    await conta.post(f"{OWN}/projects", json={"name": "Nytt"})
    today = store.clock.now().date().isoformat()

    page = (await conta.get(f"{OWN}/projects", params={"fromDate": today})).json()

    assert [hit["name"] for hit in page["hits"]] == ["Nytt"]


async def test_a_wrong_parameter_is_an_input_error(conta: httpx.AsyncClient) -> None:
    """Facts 9: field validation is 409 with category INPUT."""
    answer = await conta.get(f"{OWN}/customers", params={"hits": -1})

    assert answer.status_code == 409
    assert answer.json()["category"] == "INPUT"


async def test_a_stale_list_hides_what_is_new(conta: httpx.AsyncClient, store: Store) -> None:
    """Facts 4: seen by a client; on demand what was created last is not listed yet."""
    await conta.post(f"{OWN}/projects", json={"name": "Nytt"})
    store.board.add(Fault(kind=FaultKind.STALE_LIST, seconds=60, path="/projects", times=1))

    stale = (await conta.get(f"{OWN}/projects", params={"q": "Nytt"})).json()
    fresh = (await conta.get(f"{OWN}/projects", params={"q": "Nytt"})).json()

    assert (stale["hitCount"], fresh["hitCount"]) == (0, 1)


async def test_a_repeated_page_shows_the_one_before(conta: httpx.AsyncClient, store: Store) -> None:
    """Facts 12: a client lost rows while paging; on demand a list moves while it is paged."""
    first = (await conta.get(f"{OWN}/customers")).json()["hits"]
    store.board.add(Fault(kind=FaultKind.REPEAT_PAGE, times=1))

    second = (await conta.get(f"{OWN}/customers", params={"page": 1})).json()["hits"]

    assert second == first
    assert store.board.counters[FaultKind.REPEAT_PAGE] == 1


async def test_hits_can_be_left_out_although_there_are_some(
    conta: httpx.AsyncClient, store: Store, own: Organization
) -> None:
    """Facts 12: clients took wrong names for rows; on demand the envelope has none."""
    store.board.add(Fault(kind=FaultKind.OMIT_HITS, times=1))

    page = (await conta.get(f"{OWN}/customers")).json()

    assert "hits" not in page
    assert page["hitCount"] == len(own.customers)
