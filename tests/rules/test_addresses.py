"""Web addresses: what may be returned to lies below a folder, whoever reads the address."""

from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.addresses import is_folder, is_web_address, lies_below

FOLDER = "https://app.conta.no/innstillinger/"
tails = st.text(st.characters(min_codepoint=0, max_codepoint=0x17F), max_size=40)
pieces = st.lists(
    st.sampled_from(
        ["..", ".", "%2e", "%2E%2e", "%252e", "/", "%2f", "\\", "%5c", ";", "@", ":",
         "evil.example", "side", "?", "#", "\n", "\t", " ", "%0a", "%", "å", "a"]
    ),
    max_size=8,
).map("".join)  # fmt: skip


def browsers_view(url: str) -> str:
    """Read an address as browsers do: backslashes are slashes, encoded dots are dots."""
    kept = "".join(sign for sign in url if sign not in "\t\r\n").replace("\\", "/")
    parts = urlsplit(kept)
    path = parts.path
    for _ in range(3):
        path = unquote(path)
    path = "/".join(segment.partition(";")[0] for segment in path.replace("\\", "/").split("/"))
    joined = urljoin("https://base.example/", f"https://{parts.netloc}/") + "x"
    resolved = urlsplit(urljoin(joined, f"https://{parts.netloc}{path}"))
    return f"{parts.scheme}://{parts.hostname}{resolved.path}"


@given(pieces | tails)
@example("../x")
@example("%2e%2e/x")
@example("..;/x")
@example("side?to=1#x")
def test_what_is_let_through_stays_below_its_folder(tail: str) -> None:
    """However the rest is written, a browser or a server that decodes it stays inside."""
    url = FOLDER + tail

    if lies_below(url, [FOLDER]):
        assert browsers_view(url).startswith(FOLDER)
        assert url.isprintable()


@given(pieces | tails)
@example(".evil.example/x")
@example("@evil.example/")
@example(":8443/innstillinger/")
def test_no_other_host_is_returned_to(tail: str) -> None:
    """The host is compared as a whole, never as the beginning of a longer name."""
    url = "https://app.conta.no" + tail

    if lies_below(url, ["https://app.conta.no/"]):
        parts = urlsplit(url)
        assert (parts.hostname, parts.port or 443, parts.username) == ("app.conta.no", 443, None)


@pytest.mark.parametrize(
    ("url", "lies"),
    [
        (FOLDER, True),
        (f"{FOLDER}virksomheter?a=1#b", True),
        (f"{FOLDER}kund%C3%A6r/", True),
        ("https://app.conta.no:443/innstillinger/x", True),
        ("https://app.conta.no/innstillinger", False),
        ("https://app.conta.no/innstillinger2/", False),
        ("http://app.conta.no/innstillinger/", False),
        ("https://app.conta.no:8443/innstillinger/", False),
        ("https://app.conta.no:port/innstillinger/", False),
        (f"{FOLDER}%252e%252e/x", False),
        (f"{FOLDER}a%2f..%2fx", False),
        (f"{FOLDER}%00", False),
        ("https://[::1/innstillinger/", False),
    ],
)
def test_examples(url: str, lies: bool) -> None:
    """Pages below the folder, and what only looks so."""
    assert lies_below(url, ["https://other.example/", FOLDER]) is lies


@given(tails)
def test_a_folder_lies_below_itself_and_is_an_address(tail: str) -> None:
    """What the settings let through can be used as it is."""
    url = f"https://app.conta.no/{tail}/"

    if is_folder(url):
        assert is_web_address(url)
        assert lies_below(url, [url])


@pytest.mark.parametrize("entry", ["", "not a url", "https://a.example", "https://a.example/#/"])
def test_what_is_no_folder(entry: str) -> None:
    """Others could not be told to lie below it."""
    assert not is_folder(entry)
    assert not lies_below("https://a.example/x", [entry])
