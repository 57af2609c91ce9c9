"""Bring a link to an open plan, answer what must be answered, confirm; and play a death."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest

from app.database import CommitPoint, Hook
from app.sandbox.seeds import Plan, SeedWorld, world_of
from tests.features.conftest import Linked
from tests.worlds import BEGIN, Keeper

Work = Callable[[], Awaitable[int]]
When = Literal["before", "after"]


@pytest.fixture
def world() -> SeedWorld:
    """Every sort of customer that the told world has, at less than half of its time."""
    return world_of(Plan(8, 1, 2, 2, 1, 1, 1, 4, 5), seed=1, today=BEGIN.date())


class Died(Exception):  # noqa: N818 - named by what happens
    """Plays the death of a process at a commit point."""


def dying_at(point: CommitPoint, when: When, nth: int) -> Hook:
    """Give a hook that dies the n-th time a point is passed, once."""
    passed = 0

    def hook(at: CommitPoint, side: When) -> None:
        nonlocal passed
        if (at, side) == (point, when):
            passed += 1
            if passed == nth:
                raise Died

    return hook


class Review:
    """Speak to the review as a front end does."""

    def __init__(self, client: httpx.AsyncClient, linked: Linked) -> None:
        self._client = client
        self._base = f"{linked.path}/first-sync"
        self._headers = linked.books

    async def start(self) -> None:
        answer = await self._client.post(self._base, headers=self._headers)
        assert answer.status_code == 202, answer.text

    async def plan(self) -> dict[str, Any]:
        answer = await self._client.get(self._base, headers=self._headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def lines(self, **wanted: str) -> list[dict[str, Any]]:
        answer = await self._client.get(
            f"{self._base}/proposals", headers=self._headers, params={"limit": "200", **wanted}
        )
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def line(self, **wanted: str) -> dict[str, Any]:
        (found, *_) = await self.lines(**wanted)
        return found

    async def patch(
        self, line: dict[str, Any], body: dict[str, Any], **headers: str
    ) -> httpx.Response:
        sent = {"If-Match": f'"{line["version"]}"', **headers}
        return await self._client.patch(
            f"{self._base}/proposals/{line['id']}",
            headers={**self._headers, **{k: v for k, v in sent.items() if v}},
            json=body,
        )

    async def answer(self, line: dict[str, Any], answer: str | None, **more: Any) -> dict[str, Any]:
        got = await self.patch(line, {"answer": answer, **more})
        assert got.status_code == 200, got.text
        found: dict[str, Any] = got.json()
        return found

    async def bulk(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.post(f"{self._base}/answers", headers=self._headers, json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def answer_all(self) -> None:
        """Link what is likely, keep the first of two doubles and who stands alone by now."""
        for line in await self.lines(deed="ask"):
            if not line["candidates"]:
                last = any(line["record"]["id"] > one["id"] for one in line["siblings"])
                await self.answer(line, "leave_out" if last else "create")
            else:
                await self.answer(line, "link", partnerId=line["candidates"][0]["id"])

    async def confirm(self, key: str = "confirm-1") -> httpx.Response:
        return await self._client.post(
            f"{self._base}/confirm", headers={**self._headers, "Idempotency-Key": key}
        )

    async def run(self, run_id: str) -> dict[str, Any]:
        answer = await self._client.get(f"{self._base}/runs/{run_id}", headers=self._headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def let(self, run_id: str, deed: str) -> dict[str, Any]:
        answer = await self._client.post(
            f"{self._base}/runs/{run_id}/{deed}", headers=self._headers
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def review(
    reviewing: Linked, client: httpx.AsyncClient, work: Work, keeper: Keeper
) -> Review:
    """A review whose plan is open."""
    opened = Review(client, reviewing)

    async def make() -> None:
        await opened.start()
        await work()

    await keeper.make("review", make)
    return opened


@pytest.fixture
async def confirmed(review: Review, keeper: Keeper) -> str:
    """The run of a review that was answered and confirmed; nothing of it is carried out yet."""

    async def make() -> str:
        await review.answer_all()
        answer = await review.confirm()
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    return await keeper.make("confirmed", make)


@pytest.fixture
async def carried_out(confirmed: str, work: Work, keeper: Keeper) -> str:
    """The same run, which has ended; its link is active and in step."""

    async def make() -> None:
        await work()

    await keeper.make("carried out", make)
    return confirmed
