"""What follows of a draft carries the draft's project, so that the project's sums are whole."""

from typing import Any

from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import drafts_with
from tests.features.invoicing.test_preview import change


async def of_one_project(kari: Bookkeeper) -> tuple[dict[str, Any], int]:
    """Bill hours of a project that has a partner in Conta; gives the draft and the project."""
    hours = (await kari.get("billable-entries"))["items"]
    chosen = {(e["customerId"], e["projectId"]) for e in hours if e["billable"] and e["projectId"]}
    for customer, project in sorted(chosen):
        draft = await kari.bill(customerId=customer, projectId=project, grouping="entry")
        (stored,) = await drafts_with(kari.twins, draft["mark"])
        if stored.get("projectId"):
            return draft, int(stored["projectId"])
    raise AssertionError("no project of the samples has a partner")


async def test_a_follow_up_carries_the_project(kari: Bookkeeper) -> None:
    """All of it corrects one draft of one project."""
    draft, project = await of_one_project(kari)
    await longer(kari, draft, 60)

    follow_up = await kari.follow(await kari.look())

    (stored,) = await drafts_with(kari.twins, follow_up["mark"])
    assert stored["projectId"] == project


async def test_what_was_left_out_carries_the_project(kari: Bookkeeper) -> None:
    """An expense of the draft's hours is the project's too."""
    draft, project = await of_one_project(kari)
    entry = draft["entries"][0]["entryId"]
    await kari.in_conta(draft, "delete")
    await kari.release(draft)
    await change(kari.twins, entry, costs=[{"description": "Parkering", "amount": "250.00"}])
    draft, project = await of_one_project(kari)

    preview = await kari.post(f"invoice-drafts/{draft['id']}/left-out", expenseVatCode="high")

    sent = await kari.send(preview.json())
    (stored,) = await drafts_with(kari.twins, sent["mark"])
    assert stored["projectId"] == project


async def test_a_follow_up_of_several_projects_carries_none(kari: Bookkeeper) -> None:
    """Conta has one project a draft: with two there is none."""
    draft, _ = await of_one_project(kari)
    other = await kari.bill(customerId=draft["customerId"], grouping="entry")
    await longer(kari, draft, 60)
    await longer(kari, other, 60)

    follow_up = await kari.follow(await kari.look())

    (stored,) = await drafts_with(kari.twins, follow_up["mark"])
    assert {one["draftId"] for one in follow_up["corrections"]} == {draft["id"], other["id"]}
    assert stored.get("projectId") is None


async def test_a_follow_up_goes_without_a_project_of_another_customer(kari: Bookkeeper) -> None:
    """The project was given to another customer in Conta: told, and no reason not to bill."""
    draft, project = await of_one_project(kari)
    await longer(kari, draft, 60)
    others = [c["id"] for c in (await kari.twins.books())["customers"]]
    own = (await drafts_with(kari.twins, draft["mark"]))[0]["customerId"]
    await kari.twins.control(
        "conta", "PATCH", f"/organizations/1001/projects/{project}",
        {"customerId": next(one for one in others if one != own)},
    )  # fmt: skip

    preview = (await kari.ask(await kari.look())).json()["preview"]

    told = {one["code"]: one["blocking"] for one in preview["problems"]}
    assert told["project-customer-differs"] is False
    sent = await kari.send(preview)
    (stored,) = await drafts_with(kari.twins, sent["mark"])
    assert (sent["state"], stored.get("projectId")) == ("completed", None)
