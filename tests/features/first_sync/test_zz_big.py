import time, cProfile, pstats
import pytest
from app.sandbox.seeds import size


@pytest.fixture
def world():
    return size(5000, 1, entries=10)


async def test_big(reviewing, client, work, runtime):
    from tests.features.first_sync.conftest import Review
    import app.first_sync.plan as plan

    r = Review(client, reviewing)
    await r.start()
    t = time.perf_counter()
    od = plan._draw

    def draw(w):
        s = time.perf_counter()
        x = od(w)
        print("draw", time.perf_counter() - s)
        return x

    plan._draw = draw
    orec = plan._recall

    async def rec(*a):
        s = time.perf_counter()
        x = await orec(*a)
        print("recall", time.perf_counter() - s)
        return x

    plan._recall = rec
    orig = plan.make_lines

    async def timed(*a, **k):
        s = time.perf_counter()
        await orig(*a, **k)
        print("make_lines", time.perf_counter() - s)

    plan.make_lines = timed
    await work()
    print("reading+plan", time.perf_counter() - t)
    plan.make_lines = orig
    plan._draw = od
    plan._recall = orec
    for q in ({}, {"category": "certain"}, {"deed": "ask"}, {"q": "bygg"}):
        t = time.perf_counter()
        n = await r.lines(**{"limit": "100", **q})
        print("page", q, len(n), time.perf_counter() - t)
    t = time.perf_counter()
    p = await r.plan()
    print("plan", time.perf_counter() - t)
    line = (await r.lines(deed="ask", limit="1", kind="customer"))[0]
    pr = cProfile.Profile()
    pr.enable()
    t = time.perf_counter()
    await r.answer(line, "create")
    print("answer", time.perf_counter() - t)
    pr.disable()
    t = time.perf_counter()
    x = await r.bulk({"filter": {"deed": "ask"}, "answer": "create"})
    print("bulk", x["matched"], time.perf_counter() - t)
    pstats.Stats(pr).sort_stats("cumulative").print_stats(45)
    assert 0
