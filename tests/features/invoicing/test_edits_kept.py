"""What a person wrote on one line stays with what that line bills, or is told of."""

from typing import Any

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import busiest, previewed
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import ids_of

HOTEL = {"description": "Hotell Bergen", "amount": "1500"}
PARKING = {"description": "Parkering", "amount": "120"}
TAXI = {"description": "Taxi", "amount": "333"}


def without_line(preview: dict[str, Any]) -> list[Any]:
    found = [one for one in preview["problems"] if one["code"] == "edit-without-line"]
    return [line for one in found for line in one["lines"]]


async def test_an_edit_of_a_part_stays_with_its_hours_where_texts_get_shorter(
    kari: Bookkeeper, twins: Any
) -> None:
    """The cuts move: the edit of a part that is no more is told of, and lands on no other hour."""
    customer = await busiest(kari.client, kari.link)
    ids = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    for number, one in enumerate(ids):
        await change(twins, one, comment=f"{number} " + "ord " * 60)
    first = await previewed(
        kari.client, kari.link, customerId=customer, grouping="sum", template="{comments}",
        splitLongTexts=True,
    )  # fmt: skip
    middle, last = first["lines"][len(first["lines"]) // 2], first["lines"][-1]
    edits = [
        {"line": line["key"], "text": "Reklamasjon", "discountPercent": "50"}
        for line in (middle, last)
    ]
    second = await previewed(
        kari.client, kari.link, customerId=customer, basedOn=first["previewId"], edits=edits
    )
    for one in [*ids[: len(ids) // 4], *middle["entryIds"]]:
        await change(twins, one, comment="kort")

    third = await previewed(
        kari.client, kari.link, customerId=customer, basedOn=second["previewId"]
    )

    def halved(preview: dict[str, Any]) -> list[Any]:
        return [one["entryIds"] for one in preview["lines"] if one["discountPercent"] != "0"]

    assert halved(second) == [middle["entryIds"], last["entryIds"]]
    kept = {one["key"]: one["entryIds"] for one in third["lines"]}
    lost = [one for one in (middle, last) if one["key"] not in kept]
    assert middle in lost
    assert without_line(third) == sorted(one["key"] for one in lost)
    assert all(one in (middle["entryIds"], last["entryIds"]) for one in halved(third))


async def test_an_edit_of_an_expense_stays_with_it_wherever_the_hour_has_it(
    kari: Bookkeeper, twins: Any
) -> None:
    customer = await busiest(kari.client, kari.link)
    hour = ids_of(await previewed(kari.client, kari.link, customerId=customer))[0]
    await change(twins, hour, costs=[HOTEL, PARKING])
    first = await previewed(
        kari.client, kari.link, customerId=customer, entryIds=[hour], expenseVatCode="high"
    )
    key = next(line["key"] for line in first["lines"] if "Hotell" in line["text"])
    edit = {"line": key, "text": "Hotell, 2 netter", "vatCode": "low"}

    async def again(*costs: dict[str, str]) -> tuple[list[Any], list[Any]]:
        await change(twins, hour, costs=list(costs))
        preview = await previewed(
            kari.client, kari.link, customerId=customer, basedOn=first["previewId"], edits=[edit]
        )
        spent = [line for line in preview["lines"] if not line["entryIds"]]
        return (
            [(one["text"].split(" (")[0], one["vatCode"], one["netOre"]) for one in spent],
            without_line(preview),
        )

    night = ("Hotell, 2 netter", "low", 150_000)
    assert await again(TAXI, HOTEL, PARKING) == (
        [("Taxi", "high", 33_300), night, ("Parkering", "high", 12_000)], [],
    )  # fmt: skip
    assert await again(PARKING) == ([("Parkering", "high", 12_000)], [key])
    assert await again(PARKING, HOTEL) == ([("Parkering", "high", 12_000), night], [])


async def test_an_edit_under_a_key_of_an_earlier_version_is_told_of(
    kari: Bookkeeper, twins: Any
) -> None:
    customer = await busiest(kari.client, kari.link)
    hour = ids_of(await previewed(kari.client, kari.link, customerId=customer))[0]
    await change(twins, hour, costs=[HOTEL])
    old = f"cost-{hour}-0"

    preview = await previewed(
        kari.client, kari.link, customerId=customer, entryIds=[hour], expenseVatCode="high",
        edits=[{"line": old, "text": "Hotell, 2 netter"}],
    )  # fmt: skip

    assert without_line(preview) == [old]
    assert "Hotell Bergen" in preview["lines"][-1]["text"]


async def test_an_unknown_key_in_the_order_is_told_and_the_others_follow_it(
    kari: Bookkeeper,
) -> None:
    customer = await busiest(kari.client, kari.link)
    plain = await previewed(kari.client, kari.link, customerId=customer, grouping="entry")
    keys = [line["key"] for line in plain["lines"]][::-1]

    preview = await previewed(
        kari.client, kari.link, customerId=customer, grouping="entry",
        order=["nokey", *keys, "nokey"],
    )  # fmt: skip

    assert [line["key"] for line in preview["lines"]] == keys
    (told,) = [one for one in preview["problems"] if one["code"] == "order-without-line"]
    assert (told["lines"], told["blocking"]) == (["nokey"], False)
    assert not [one for one in plain["problems"] if one["code"] == "order-without-line"]
