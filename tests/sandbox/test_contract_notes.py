"""What a twin notes of its callers' faults."""

from starlette.types import Message

from app.sandbox.conta import create_twin
from app.sandbox.seeds import demo
from tests.worlds import BEGIN

PATH = "/invoice/organizations/1001/invoice-drafts"


async def test_who_hangs_up_before_the_body_is_whole_has_not_broken_the_contract() -> None:
    """A client that gave up in the middle sent no request that could be right or wrong."""
    twin = create_twin(seed=demo(BEGIN.date()))
    arriving: list[Message] = [
        {"type": "http.request", "body": b'{"cust', "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return arriving.pop(0) if arriving else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        """Drop what nobody hears."""

    await twin(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": PATH,
            "raw_path": PATH.encode(),
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [
                (b"apikey", b"conta-demo-key"),
                (b"content-type", b"application/json"),
                (b"content-length", b"200"),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        },
        receive,
        send,
    )

    assert not twin.state.twin.violations.as_json()["requests"]
