"""
Play one small world of drafts from a seed: people, faults and deaths, then quiet, then judge.

The real code on the real database; both systems, the clock and the deaths are simulated. The judge
reads the twins' own stores and uses our tables only to know which hours a mark stands for.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.invoicing.mark import marks_in
from app.invoicing.store import Draft
from app.runtime import Runtime

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
    {"kind": "lost_answer", "path": "/invoice-transfers"},
    {"kind": "status_before", "status": 503, "path": "/invoice-transfers"},
)
QUIET_ROUNDS = 14
UNDER_WAY = {"taken", "reserved", "sending", "unconfirmed"}


class Died(BaseException):
    """Play a death: nothing catches it, what was committed stays."""


@dataclass
class Stage:
    """Hold what a world is played on."""

    client: httpx.AsyncClient
    app: FastAPI
    runtime: Runtime
    settings: Any
    network: Any
    twins: Any
    link: Any
    clock: Any
    work: Callable[[], Awaitable[int]]


@dataclass
class DraftWorld:
    """Hold one seed's world: a customer, four hours, and what happened."""

    stage: Stage
    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    hours: list[str] = field(default_factory=list)
    previews: list[str] = field(default_factory=list)
    resent: bool = False

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        customers = sorted(self.stage.link.more["customers"])
        self.customer = customers[self.seed % len(customers)]

    async def play(self, steps: int = 10) -> list[str]:
        """Play the world to its quiet end and give what the judge found wrong."""
        await self._make_hours()
        deeds = (self._send, self._send, self._send, self._two_at_once, self._break_books,
                 self._break_time, self._die, self._pass_time, self._pass_time, self._person,
                 self._decide, self._edit)  # fmt: skip
        for _ in range(steps):
            deed = self.random.choice(deeds)
            self.happened[deed.__name__.strip("_")] += 1
            await deed()
        await self._be_quiet()
        return await self._judge()

    async def _make_hours(self) -> None:
        day = self.stage.clock().date().isoformat()
        for number in range(4):
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
        await asyncio.gather(*(self._post(one) for one in both))

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
        """Send in a process that dies at a random passing of a random point."""
        preview = await self._preview()
        if preview is None:
            return
        point, moment = self.random.choice(POINTS), self.random.choice(("before", "after"))

        def hook(passed: CommitPoint, when: Literal["before", "after"]) -> None:
            if (passed, when) == (point, moment):
                raise Died

        stage = self.stage
        mortal = build_runtime(
            stage.settings, clock=stage.clock, hook=hook, conta_transport=stage.network,
            timerabbit_transport=stage.network,
        )  # fmt: skip
        stage.app.state.runtime = mortal
        try:
            await self._post(preview)
        except Died:
            self.happened[f"death-{point.value}"] += 1
        finally:
            stage.app.state.runtime = stage.runtime
            await mortal.close()

    async def _pass_time(self) -> None:
        self.stage.clock.advance(seconds=self.random.choice((11, 40, 125, 400)))
        await self._sign_in()
        await self.stage.work()

    async def _person(self) -> None:
        """Do what a person may do in Conta with one of this world's drafts."""
        books = await self.stage.twins.books()
        mine = [d for d in books["drafts"] if str(d["customerId"]) == self._partner()]
        if mine:
            draft = self.random.choice(mine)
            deed = self.random.choice(("send", "delete"))
            path = f"/organizations/1001/drafts/{draft['id']}/{deed}"
            await self.stage.twins.control("conta", "POST", path)

    async def _decide(self) -> None:
        """Release or send again, as a person might, whatever the draft's state."""
        listed = (await self._call("GET", "/invoice-drafts")).json()["items"]
        mine = [one for one in listed if one["customerId"] == self.customer]
        if not mine:
            return
        draft = self.random.choice(mine)
        if self.random.random() < 0.5:
            self.resent = True
            await self._call("POST", f"/invoice-drafts/{draft['id']}/resend")
        else:
            body = {"reason": "simulert", "lookedInConta": False}
            await self._call("POST", f"/invoice-drafts/{draft['id']}/release", body)

    async def _edit(self) -> None:
        path = f"/companies/cmp_1/entries/{self.random.choice(self.hours)}"
        minutes = self.random.randint(1, 200)
        await self.stage.twins.control("timerabbit", "PATCH", path, {"minutes": minutes})

    async def _be_quiet(self) -> None:
        for system in ("conta", "timerabbit"):
            await self.stage.twins.control(system, "DELETE", "/faults")
        for _ in range(QUIET_ROUNDS):
            self.stage.clock.advance(seconds=130)
            await self.stage.work()
        await self._sign_in()

    async def _judge(self) -> list[str]:
        books = await self.stage.twins.books()
        standing: Counter[str] = Counter()
        for draft in books["drafts"]:
            standing.update(_marks(draft["invoiceDraftLines"]))
        for invoice in books["invoices"]:
            if invoice["type"] != "CREDIT" and invoice["status"] != "CLOSED_BY_CREDIT_NOTE":
                standing.update(_marks(invoice["invoiceLines"]))
        async with self.stage.runtime.database.reading(self.stage.link.link_id) as session:
            rows = await session.scalars(
                select(Draft).where(Draft.customer_time_id == self.customer)
            )
            drafts = [d for d in rows if set(d.versions) & set(self.hours)]
        wrong = []
        covered: Counter[str] = Counter()
        for draft in drafts:
            told = draft.problem in {"duplicate-draft", "draft-after-release"}
            if standing[draft.mark] > 1 and not (told or self.resent):
                wrong.append(f"{draft.mark} stands {standing[draft.mark]} times")
            if draft.state in UNDER_WAY:
                wrong.append(f"{draft.mark} is stuck: {draft.state}")
            if standing[draft.mark] and not told:
                covered.update(set(draft.versions))
        wrong += [f"{hour} billed {n} times" for hour, n in covered.items() if n > 1]
        own = {e["id"]: e for e in (await self.stage.twins.time())["entries"]}
        held = {h for d in drafts if d.state == "completed" for h in d.versions}
        wrong += [
            f"{hour} is lost: nobody holds it and it is {own[hour]['invoiceStatus']}"
            for hour in self.hours
            if hour not in held and own[hour]["invoiceStatus"] == "invoiced"
        ]
        return [f"seed {self.seed}: {one}" for one in wrong]

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


def _marks(lines: list[dict[str, Any]]) -> set[str]:
    return {mark for line in lines for mark in marks_in(line["description"])}
