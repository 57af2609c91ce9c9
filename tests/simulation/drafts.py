"""
Play one small world of drafts from a seed: people, faults and deaths, then quiet, then judge.

The real code on the real database; both systems, the clock and the deaths are simulated.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import httpx

from app.invoicing.drafts.settle import settle_draft
from tests.simulation import afterwards, beside, in_conta
from tests.simulation.beside import Beside
from tests.simulation.faults import BOOKS_FAULTS, TIME_FAULTS
from tests.simulation.judge import judge, judge_again
from tests.simulation.passing import A_LOOK, A_SWEEP, A_WEEK, POINTS, pass_and_work, together
from tests.simulation.pieces import TERMS, Piece, Version
from tests.simulation.stage import Died, Stage

Deed = tuple[Callable[[], Awaitable[None]], str]

QUIET = timedelta(minutes=45)
"""Longer than three settle times, a waiting draft's longest patience and a look at each draft."""

STEP = timedelta(seconds=31)
"""Longer than a waked draft is left to its job, so that none due is passed over."""

HOURS = 4


@dataclass
class DraftWorld:
    """
    Hold one seed's world: two customers, four hours of the first, and what happened.

    Every second world is about what comes after: its hours are billed first, then changed. In every
    third hours have expenses and kilometres, and invoices are paid.

    Args:
        versions: All that each hour ever was.
        sent_twice: Drafts that a person sent again; a second one of these is the person's.
        removed: Lines that a person took out of the books again.
        freed: Hours of lines that a person released by themselves.
        left: Hours of which a person chose once to leave what was billed.
        kept: Previews that a person did not send yet.
        had_beside: All that each hour ever had beside time.
        rewritten: Drafts that a person wrote over, with the newest of all drafts at that time.

    """

    stage: Stage
    seed: int
    happened: Counter[str] = field(default_factory=Counter)
    hours: list[str] = field(default_factory=list)
    versions: dict[str, list[Version]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    sent_twice: set[str] = field(default_factory=set)
    removed: list[Piece] = field(default_factory=list)
    freed: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    kept: list[str] = field(default_factory=list)
    rewritten: dict[int, int] = field(default_factory=dict)
    had_beside: dict[str, list[Beside]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        customers = sorted(self.stage.link.more["customers"])
        self.customers = [customers[(self.seed + one) % len(customers)] for one in (0, 1)]
        self.customer = self.customers[0]
        self.terms = TERMS[self.seed // 2 % len(TERMS)]
        self.has_beside = self.seed % 3 == 0

    async def play(self, steps: int = 10) -> list[str]:
        """Play the world to its quiet end and give what the judge found wrong."""
        self.stage.begin()
        await self._make_hours()
        deeds = self._protocol_deeds()
        if self.seed % 2:
            deeds, steps = self._later_deeds(), steps - 3
            await self.send(at_least=2)
            await self._pass_time()
        if self.has_beside:
            deeds, steps = deeds + self._beside_deeds(), steps + 2
        for _ in range(steps):
            deed, name = self.random.choice(deeds)
            self.happened[name] += 1
            await deed()
        await self._be_quiet()
        if self.happened["books-paid"]:
            await pass_and_work(self, A_WEEK)
        wrong = await judge(self)
        if self.seed % 8 == 1 and not wrong:
            await afterwards.erase(self)
            wrong = await judge_again(self)
        return [f"seed {self.seed}: {one}" for one in wrong]

    def _protocol_deeds(self) -> list[Deed]:
        """Give what happens while drafts are on their way."""
        own = DraftWorld
        return self._named(
            own.send, own.send, own.send, own._two_at_once, own._two_workers, own._break_books,
            own._break_books, own._break_time, own._die, own._die_at_work, own._pass_time,
            own._pass_time, own._pass_time, in_conta.in_the_books, own._decide,
            own._decide_twice, afterwards.change_hours, in_conta.release_in_haste, in_conta.merge,
        )  # fmt: skip

    def _later_deeds(self) -> list[Deed]:
        """Give what happens once hours are billed."""
        own = DraftWorld
        return self._named(
            afterwards.change_hours, afterwards.change_hours, *[afterwards.decide_changes] * 5,
            *[afterwards.take_back] * 2, afterwards.undo, in_conta.in_the_books,
            in_conta.take_line_out, in_conta.rewrite, in_conta.release_in_haste, in_conta.merge,
            afterwards.send_late, own.send, own._decide, own._break_books, own._break_time,
            own._die_at_work, own._pass_time,
        )  # fmt: skip

    def _beside_deeds(self) -> list[Deed]:
        """Give what happens where hours have more than time, and invoices are paid."""
        return self._named(
            beside.change_beside, beside.change_beside, *[beside.bill_left_out] * 5,
            *[in_conta.pay] * 2, afterwards.pay_and_credit,
        )  # fmt: skip

    def _named(self, *deeds: Callable[["DraftWorld"], Awaitable[None]]) -> list[Deed]:
        return [(partial(deed, self), deed.__name__.strip("_")) for deed in deeds]

    async def _make_hours(self) -> None:
        day = self.stage.clock().date().isoformat()
        for number in range(HOURS):
            body = {
                "customerId": self.customer, "date": day, "minutes": 20 + 25 * number,
                "hourlyRate": "950.50", "employeeName": f"Person {number}",
            }  # fmt: skip
            made = await self.stage.twins.control(
                "timerabbit", "POST", "/companies/cmp_1/entries", body
            )
            self.hours.append(made["id"])
            self.names[body["employeeName"]] = made["id"]
            self.versions[made["id"]] = [afterwards.version_of(made)]
        if self.has_beside:
            await beside.begin_beside(self)

    async def _preview(self, *, at_least: int = 1) -> str | None:
        some = self.random.sample(self.hours, self.random.randint(at_least, 3))
        now = [self.versions[hour][-1].customer for hour in some]
        customer = next((one for one in now if one is not None), self.customer)
        return await self.preview(customer, some)

    async def preview(self, customer: str, hours: list[str]) -> str | None:
        """Preview hours of a customer by this world's terms; ``None`` where none can be billed."""
        wish = {"customerId": customer, "entryIds": hours} | self.terms.wish()
        wish |= beside.wish_beside(self)
        answer = await self.call("POST", "/invoice-drafts/preview", wish)
        return str(answer.json()["previewId"]) if answer.status_code == 201 else None

    async def send(self, *, at_least: int = 1) -> None:
        """Bill some hours."""
        preview = await self._preview(at_least=at_least)
        if preview is not None:
            await self.post(preview)

    async def _two_at_once(self) -> None:
        both = [one for one in (await self._preview(), await self._preview()) if one]
        await together(self.post(one) for one in both)

    async def _two_workers(self) -> None:
        """Let a worker that was taken for dead go on beside its successor, often after a death."""
        if self.random.random() < 0.5:
            await self._die()
        await self._let_pass()
        for one in await self.drafts():
            await together(
                settle_draft(self.stage.runtime, self.stage.link.link_id, draft_id=one["id"])
                for _ in range(2)
            )

    async def post(self, preview: str) -> httpx.Response:
        """Make a draft of a preview, as a press of the button does."""
        key = f"{self.seed}-{self.random.random()}"
        return await self.call("POST", "/invoice-drafts", {"previewId": preview}, key=key)

    async def _break_books(self) -> None:
        fault = self.random.choice(BOOKS_FAULTS)
        times = None if fault["kind"] == "stale_list" else 1
        body = {"path": "invoice-drafts", **fault, "times": times}
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
                await self.post(preview)
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
        await self.sign_in()

    async def _decide(self, *, times: int = 1) -> None:
        """Release or send again, as a person might, whatever the draft's state."""
        mine = await self.drafts()
        if not mine:
            return
        draft = self.random.choice(mine)
        again = self.random.random() < 0.5
        body = None if again else {"reason": "simulert", "lookedInConta": False}
        path = f"/invoice-drafts/{draft['id']}/{'resend' if again else 'release'}"
        answers = await together(self.call("POST", path, body) for _ in range(times))
        if again and any(answer.status_code == 200 for answer in answers):
            self.sent_twice.add(str(draft["mark"]))

    async def _decide_twice(self) -> None:
        """Press a button twice."""
        await self._decide(times=2)

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
        await pass_and_work(self, A_LOOK)
        await pass_and_work(self, A_SWEEP)  # what was found gone only now is looked for once more
        await self.stage.work()

    async def drafts(self) -> list[dict[str, Any]]:
        """Give this link's drafts, the oldest first."""
        cursor = await self.stage.admin.execute(
            "SELECT draft_id, mark, books_ids FROM drafts ORDER BY draft_id"
        )
        rows: list[tuple[UUID, str, list[str]]] = await cursor.fetchall()
        return [
            {"id": str(draft_id), "mark": mark, "books_ids": list(ids)}
            for draft_id, mark, ids in rows
        ]

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> httpx.Response:
        """Call the service as a person in Conta's pages does."""
        headers = dict(self.stage.link.books)
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.stage.client.request(
            method, f"{self.stage.link.path}{path}", json=body, headers=headers
        )

    async def sign_in(self) -> None:
        """Sign in anew: a token lives for minutes."""
        token = await self.stage.twins.token("conta", "1001")
        self.stage.link.books["Authorization"] = f"Bearer {token}"
