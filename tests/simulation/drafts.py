"""
Play one small world of drafts from a seed: people, faults and deaths, then quiet, then judge.

The real code on the real database; both systems, the clock and the deaths are simulated.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

import httpx

from app.database import CommitPoint
from app.invoicing.settle import settle_draft
from tests.simulation.judge import judge
from tests.simulation.stage import Died, Stage

Done = TypeVar("Done")

POINTS = tuple(point for point in CommitPoint if point.name.startswith("DRAFT_"))
BOOKS_FAULTS = (
    {"kind": "lost_answer", "method": "POST"},
    {"kind": "broken_body", "method": "POST"},
    {"kind": "status_after", "status": 500, "method": "POST"},
    {"kind": "status_before", "status": 500, "method": "POST"},
    {"kind": "reset_before", "method": "POST"},
    {"kind": "status_before", "status": 503, "method": "GET"},
    {"kind": "stale_list", "seconds": 90},
)
TIME_FAULTS = (
    {"kind": "status_before", "status": 503, "path": "/complete"},
    {"kind": "lost_answer", "path": "/complete"},
    {"kind": "lost_answer", "path": "/release"},
    {"kind": "lost_answer", "path": "/invoice-transfers"},
    {"kind": "status_before", "status": 503, "path": "/invoice-transfers"},
)
QUIET = timedelta(minutes=45)
"""Longer than three settle times, a waiting draft's longest patience and a look at each draft."""

STEP = timedelta(seconds=31)
"""Longer than a waked draft is left to its job, so that none due is passed over."""

HOURS = 4


@dataclass
class DraftWorld:
    """
    Hold one seed's world: a customer, four hours, and what happened.

    Args:
        sent_twice: Drafts that a person sent again; a second one of these is the person's.

    """

    stage: Stage
    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    hours: list[str] = field(default_factory=list)
    sent_twice: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        customers = sorted(self.stage.link.more["customers"])
        self.customer = customers[self.seed % len(customers)]

    async def play(self, steps: int = 10) -> list[str]:
        """Play the world to its quiet end and give what the judge found wrong."""
        await self.stage.begin()
        await self._make_hours()
        deeds = (self._send, self._send, self._send, self._two_at_once, self._two_workers,
                 self._break_books, self._break_books, self._break_time, self._die,
                 self._die_at_work, self._pass_time, self._pass_time, self._pass_time,
                 self._person, self._decide, self._decide_twice, self._edit)  # fmt: skip
        for _ in range(steps):
            deed = self.random.choice(deeds)
            self.happened[deed.__name__.strip("_")] += 1
            await deed()
        await self._be_quiet()
        wrong = await judge(self)
        return [f"seed {self.seed}: {one}" for one in wrong]

    async def _make_hours(self) -> None:
        day = self.stage.clock().date().isoformat()
        for number in range(HOURS):
            body = {
                "customerId": self.customer, "date": day, "minutes": 20 + 25 * number,
                "hourlyRate": "950.50",
            }  # fmt: skip
            made = await self.stage.twins.control(
                "timerabbit", "POST", "/companies/cmp_1/entries", body
            )
            self.hours.append(made["id"])

    async def _preview(self) -> str | None:
        some = self.random.sample(self.hours, self.random.randint(1, 3))
        answer = await self._call(
            "POST", "/invoice-drafts/preview", {"customerId": self.customer, "entryIds": some}
        )
        return str(answer.json()["previewId"]) if answer.status_code == 201 else None

    async def _send(self) -> None:
        preview = await self._preview()
        if preview is not None:
            await self._post(preview)

    async def _two_at_once(self) -> None:
        both = [one for one in (await self._preview(), await self._preview()) if one]
        await _together(self._post(one) for one in both)

    async def _two_workers(self) -> None:
        """Let a worker that was taken for dead go on beside its successor."""
        await self._let_pass()
        for one in await self._drafts():
            await _together(
                settle_draft(self.stage.runtime, self.stage.link.link_id, draft_id=one["id"])
                for _ in range(2)
            )

    async def _post(self, preview: str) -> httpx.Response:
        key = f"{self.seed}-{self.random.random()}"
        return await self._call("POST", "/invoice-drafts", {"previewId": preview}, key=key)

    async def _break_books(self) -> None:
        fault = self.random.choice(BOOKS_FAULTS)
        times = None if fault["kind"] == "stale_list" else 1
        body = {**fault, "path": "invoice-drafts", "times": times}
        await self.stage.twins.control("conta", "POST", "/faults", body)

    async def _break_time(self) -> None:
        body = {**self.random.choice(TIME_FAULTS), "times": 1}
        await self.stage.twins.control("timerabbit", "POST", "/faults", body)

    async def _die(self) -> None:
        """Send in a process that dies at the first passing of a random point."""
        preview = await self._preview()
        if preview is None:
            return
        point = self.random.choice(POINTS)
        async with self.stage.in_a_mortal_process(point, self.random.choice(("before", "after"))):
            try:
                await self._post(preview)
            except Died:
                self.happened[f"death-{point.value}"] += 1

    async def _die_at_work(self) -> None:
        """Let time pass, and the worker die at the first passing of a random point."""
        await self._let_pass()
        point = self.random.choice(POINTS)
        async with self.stage.in_a_mortal_process(point, self.random.choice(("before", "after"))):
            try:
                await self.stage.work(self.stage.mortal)
            except Died:
                self.happened[f"death-{point.value}"] += 1

    async def _pass_time(self) -> None:
        await self._let_pass()
        await self.stage.work()

    async def _let_pass(self) -> None:
        self.stage.clock.advance(seconds=self.random.choice((11, 40, 125, 400, 4000)))
        await self._sign_in()

    async def _person(self) -> None:
        """Do what a person may do in Conta with one of this world's drafts."""
        drafts = self.stage.store("conta").organizations[1001].drafts
        mine = [key for key, one in sorted(drafts.items())
                if str(one.data["customerId"]) == self._partner()]  # fmt: skip
        if mine:
            deed = self.random.choice(("send", "delete"))
            path = f"/organizations/1001/drafts/{self.random.choice(mine)}/{deed}"
            await self.stage.twins.control("conta", "POST", path)

    async def _decide(self, *, times: int = 1) -> None:
        """Release or send again, as a person might, whatever the draft's state."""
        mine = await self._drafts()
        if not mine:
            return
        draft = self.random.choice(mine)
        again = self.random.random() < 0.5
        body = None if again else {"reason": "simulert", "lookedInConta": False}
        path = f"/invoice-drafts/{draft['id']}/{'resend' if again else 'release'}"
        answers = await _together(self._call("POST", path, body) for _ in range(times))
        if again and any(answer.status_code == 200 for answer in answers):
            self.sent_twice.add(str(draft["mark"]))

    async def _decide_twice(self) -> None:
        """Press a button twice."""
        await self._decide(times=2)

    async def _edit(self) -> None:
        path = f"/companies/cmp_1/entries/{self.random.choice(self.hours)}"
        minutes = self.random.randint(1, 200)
        await self.stage.twins.control("timerabbit", "PATCH", path, {"minutes": minutes})

    async def _be_quiet(self) -> None:
        """Take all faults away and go from due time to due time until the quiet is over."""
        for system in ("conta", "timerabbit"):
            self.stage.store(system).board.clear()
        clock = self.stage.clock
        end = clock() + QUIET
        while True:
            await self.stage.work()
            due = await self.stage.next_due()
            if due is None or due > end:
                break
            clock.instant = max(due, clock() + STEP)
        clock.instant = max(end, clock())
        await self.stage.work()

    async def _drafts(self) -> list[dict[str, str]]:
        cursor = await self.stage.admin.execute(
            "SELECT draft_id, mark FROM drafts ORDER BY draft_id"
        )
        rows: list[tuple[UUID, str]] = await cursor.fetchall()
        return [{"id": str(draft_id), "mark": mark} for draft_id, mark in rows]

    def _partner(self) -> str:
        return str(self.stage.link.more["customers"][self.customer])

    async def _call(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> httpx.Response:
        headers = dict(self.stage.link.books)
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.stage.client.request(
            method, f"{self.stage.link.path}{path}", json=body, headers=headers
        )

    async def _sign_in(self) -> None:
        token = await self.stage.twins.token("conta", "1001")
        self.stage.link.books["Authorization"] = f"Bearer {token}"


async def _together(deeds: Iterable[Awaitable[Done]]) -> list[Done]:
    """Do deeds at once and wait for all, also where one fails: none may outlive its world."""
    outcomes = await asyncio.gather(*deeds, return_exceptions=True)
    done: list[Done] = []
    for one in outcomes:
        if isinstance(one, BaseException):
            raise one
        done.append(one)
    return done
