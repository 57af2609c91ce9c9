"""Play a person who bills hours, looks for what changed since, and follows it up."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from tests.features.invoicing.test_drafts import previewed, sent
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import signed_in
from tests.features.invoicing.test_table import changed, look_again

Work = Callable[[], Awaitable[int]]


class Bookkeeper:
    """Play a person who bills, looks for what changed and follows it up, over HTTP."""

    def __init__(
        self, client: httpx.AsyncClient, link: Any, twins: Any, work: Work, clock: Any
    ) -> None:
        self.client, self.link, self.twins, self.work, self.clock = client, link, twins, work, clock
        self.keys = 0

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.client.post(
            f"{self.link.path}/{path}", headers=self.link.books, json=body
        )

    async def get(self, path: str) -> Any:
        return (await self.client.get(f"{self.link.path}/{path}", headers=self.link.books)).json()

    async def send(self, preview: dict[str, Any]) -> dict[str, Any]:
        self.keys += 1
        answer = await sent(self.client, self.link, preview, key=f"key-{self.keys}")
        draft: dict[str, Any] = answer.json()
        return draft

    async def bill(self, **style: Any) -> dict[str, Any]:
        draft = await self.send(await previewed(self.client, self.link, **style))
        assert draft["state"] == "completed", draft
        return draft

    async def look(self) -> list[dict[str, Any]]:
        """Let Timerabbit be read; gives the changes that are open, the oldest first."""
        await look_again(self.link, self.twins, self.work, self.clock)
        items: list[dict[str, Any]] = (await changed(self.client, self.link))["items"]
        return items[::-1]

    async def ask(self, changes: list[dict[str, Any]]) -> httpx.Response:
        ids = [one["id"] for one in changes]
        return await self.post("changed-hours", changeIds=ids, choice="follow-up")

    async def follow(self, changes: list[dict[str, Any]]) -> dict[str, Any]:
        answer = await self.ask(changes)
        assert answer.status_code == 200, answer.text
        return await self.send(answer.json()["preview"])

    async def in_conta(self, draft: dict[str, Any], what: str) -> None:
        """Send or delete a draft in Conta, credit its invoice; and let it be seen."""
        if what == "credit":
            stored = (await self.twins.books())["invoices"]
            (number,) = [i["id"] for i in stored if draft["mark"] in str(i)]
            await person(self.twins, f"invoices/{number}/credit")
            self.clock.advance(hours=6)
        else:
            await person(self.twins, f"drafts/{draft['contaDraftIds'][0]}/{what}")
        for _ in range(2):
            self.clock.advance(minutes=16)
            await self.work()
        await signed_in(self.twins, self.link)

    async def release(self, draft: dict[str, Any]) -> httpx.Response:
        return await self.post(f"invoice-drafts/{draft['id']}/release", reason="rettes")

    async def hour(self, entry: str) -> dict[str, Any]:
        (found,) = (await self.get(f"ledger?entryId={entry}"))["items"]
        return dict(found)


async def longer(kari: Bookkeeper, draft: dict[str, Any], by: int, place: int = 0) -> str:
    """Make one of a draft's hours longer; gives its id."""
    hour = draft["entries"][place]
    await change(kari.twins, hour["entryId"], minutes=hour["minutes"] + by)
    return str(hour["entryId"])
