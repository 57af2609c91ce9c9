"""Null is a wish: it says none, and takes back what was remembered or asked before."""

from typing import Any

import httpx
import pytest

from tests.features.invoicing.test_drafts import busiest, previewed
from tests.features.invoicing.test_preview import change

UP = {"minutes": 60, "direction": "up", "per": "entry"}


async def remember(client: httpx.AsyncClient, link: Any, scope: str, **choice: Any) -> Any:
    answer = await client.put(
        f"{link.path}/billing-choices/{scope}", headers=link.books, json=choice
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_project_is_billed_to_the_minute_though_the_link_rounds(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """The null of a project holds for its hours; those of others go on being rounded."""
    await remember(client, synced, "link", rounding=UP)
    found = (await client.get(f"{synced.path}/billable-entries", headers=synced.books)).json()
    projects = {e["id"]: e["projectId"] for e in found["items"]}
    before = await previewed(client, synced, grouping="entry")
    chosen = next(p for one in before["lines"] if (p := projects[one["entryIds"][0]]))

    kept = await remember(client, synced, f"project:{chosen}", rounding=None)

    after = await previewed(client, synced, grouping="entry")
    assert kept["choice"] == {"rounding": None}
    assert all(line["rounding"] == UP for line in before["lines"])
    for line in after["lines"]:
        own = projects[line["entryIds"][0]] == chosen
        assert line["rounding"] == (None if own else UP)


@pytest.mark.parametrize(
    ("member", "wide", "built_in"),
    [("rounding", UP, None), ("discountPercent", "10", "0"), ("vatCode", "low", "high")],
)
@pytest.mark.parametrize("scope", ["customer", "preview"])
async def test_what_the_link_remembers_can_be_declined(
    client: httpx.AsyncClient, synced: Any, member: str, wide: Any, built_in: Any, scope: str
) -> None:
    """By a customer for all its drafts, or by a person for this one."""
    customer = await busiest(client, synced)
    await remember(client, synced, "link", **{member: wide})
    before = await previewed(client, synced, customerId=customer)

    if scope == "customer":
        await remember(client, synced, f"customer:{customer}", **{member: None})
        after = await previewed(client, synced, customerId=customer)
    else:
        after = await previewed(client, synced, customerId=customer, **{member: None})

    assert {str(line[member]) for line in before["lines"]} == {str(wide)}
    assert {str(line[member]) for line in after["lines"]} == {str(built_in)}


async def test_texts_and_groupings_are_declined_together(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """A remembered text is written for its grouping: it goes with it, and can go alone."""
    customer = await busiest(client, synced)
    await remember(client, synced, "link", grouping="week", template="Om {week}", language="nn")

    plain = await previewed(client, synced, customerId=customer, grouping=None, language=None)
    untold = await previewed(client, synced, customerId=customer, template=None)
    built_in = await previewed(client, synced, customerId=customer, grouping="project",
                               language="nb")  # fmt: skip

    def texts(preview: dict[str, Any]) -> list[str]:
        return [line["text"].split(" (spes.")[0] for line in preview["lines"]]

    assert texts(plain) == texts(built_in)
    assert not any(text.startswith("Om ") for text in texts(untold))


async def test_no_increments_stay_asked_for_in_the_next_preview(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """What was declined stays declined, until something is asked for."""
    await remember(client, synced, "link", rounding=UP)
    first = await previewed(client, synced, rounding=None)

    again = await previewed(client, synced, basedOn=first["previewId"])
    asked = await previewed(client, synced, basedOn=again["previewId"], rounding=UP)

    assert {bool(line["rounding"]) for line in again["lines"]} == {False}
    assert {bool(line["rounding"]) for line in asked["lines"]} == {True}


async def test_every_wish_of_an_earlier_preview_can_be_taken_back(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Edits, order, expenses, kilometres and the choice of hours go; what is left out stays."""
    plain = await previewed(client, synced, grouping="entry")
    one, two = (line["key"] for line in plain["lines"][:2])
    hour = plain["lines"][0]["entryIds"][0]
    await change(
        twins, hour, costs=[{"description": "Parkering", "amount": "100.00"}], kilometers="8.5"
    )
    wished = await previewed(
        client, synced, grouping="entry", entryIds=[hour, plain["lines"][1]["entryIds"][0]],
        order=[two], expenseVatCode="exempted", kilometres={"rateOre": 500, "vatCode": "high"},
        edits=[{"line": one, "text": "Feil", "vatCode": "low", "discountPercent": 10},
               {"line": two, "text": "Riktig"}],
    )  # fmt: skip

    back = await previewed(
        client, synced, basedOn=wished["previewId"], entryIds=None, order=[], expenseVatCode=None,
        kilometres=None,
        edits=[{"line": one, "text": None, "vatCode": None, "discountPercent": None}],
    )  # fmt: skip

    assert len(wished["lines"]) == 4
    assert [line["key"] for line in back["lines"]] == [line["key"] for line in plain["lines"]]
    assert back["netOre"] == plain["netOre"]
    shown = {line["key"]: line for line in back["lines"]}
    for key in ("vatCode", "discountPercent"):
        assert shown[one][key] == plain["lines"][0][key]
    assert not shown[one]["text"].startswith("Feil")
    assert shown[two]["text"].startswith("Riktig")
    assert list(back["style"]["edits"]) == [two]
