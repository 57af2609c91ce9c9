"""Speak for the people of the story: the two systems' front ends, and persons at the twins."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from app.demo.processes import Addresses

PATIENCE_SECONDS = 30.0
ORGANIZATION, COMPANY, KEY = "1001", "cmp_1", "conta-demo-key"


class StoryFailed(Exception):  # noqa: N818 - named by what happened to the story
    """Say which step of the story did not come true."""


def require(claim: object, what: str) -> None:
    """
    Stop the story when a step is not true in the twins' own stores.

    Raises:
        StoryFailed: With what was claimed.

    """
    if not claim:
        raise StoryFailed(what)


class People:
    """Hold the service's caller from Conta's side, and the control calls of both twins."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self.link_id = ""
        self._http = httpx.Client(timeout=60)
        self.headers: dict[str, str] = {}

    def sign_in(self) -> None:
        """Get a token of Conta for an administrator."""
        body = {"subject": "kari", "accounts": [ORGANIZATION], "role": "administrator"}
        token = self.conta("POST", "/tokens", body)["token"]
        self.headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}

    def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None, **headers: str
    ) -> httpx.Response:
        """Call the service; a path without ``/v1`` stands below the link."""
        whole = path if path.startswith("/v1") else f"/v1/links/{self.link_id}{path}"
        more = {**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}}
        if key is not None:
            more["Idempotency-Key"] = key
        return self._http.request(method, self.addresses.service + whole, json=body, headers=more)

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> Any:  # noqa: ANN401 - JSON
        """
        Call the service and give the answer's JSON.

        Raises:
            StoryFailed: The service refused; the text holds its problem.

        """
        answer = self.call(method, path, body, **more)
        if answer.is_error:
            raise StoryFailed(f"{method} {path}: {answer.status_code} {answer.text[:600]}")
        return answer.json() if answer.content else None

    def all_pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end."""
        cursor: str | None = None
        while True:
            mark = "&" if "?" in path else "?"
            page = self.ask("GET", path + (f"{mark}cursor={cursor}" if cursor else ""))
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def conta(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Play a person in Conta's web app, or look into its store."""
        return self._control(self.addresses.conta, method, path, body)

    def timerabbit(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Play a person in Timerabbit's app, or look into its store."""
        return self._control(self.addresses.timerabbit, method, path, body)

    def _control(self, base: str, method: str, path: str, body: object) -> Any:  # noqa: ANN401 - JSON
        answer = self._http.request(method, f"{base}/_control{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def books(self) -> Mapping[str, Any]:
        """Read the organization from Conta's own store."""
        organizations = self.conta("GET", "/state")["organizations"]
        found: Mapping[str, Any] = next(o for o in organizations if str(o["id"]) == ORGANIZATION)
        return found

    def hours(self) -> Mapping[str, Any]:
        """Read the company from Timerabbit's own store."""
        companies = self.timerabbit("GET", "/state")["companies"]
        found: Mapping[str, Any] = next(c for c in companies if c["id"] == COMPANY)
        return found

    def customer_in_books(self, number: str) -> Mapping[str, Any]:
        """Read one customer from Conta's own store."""
        found: Mapping[str, Any] = next(
            c for c in self.books()["customers"] if str(c["id"]) == number
        )
        return found

    def customer_in_hours(self, number: str) -> Mapping[str, Any]:
        """Read one customer from Timerabbit's own store."""
        found: Mapping[str, Any] = next(c for c in self.hours()["customers"] if c["id"] == number)
        return found

    def log_in(self, handover_url: str) -> dict[str, str]:
        """Play the browser: consent at Timerabbit and bring back what the redirect carries."""
        body = {"handoverUrl": handover_url, "login": COMPANY}
        redirect = self.timerabbit("POST", "/consent", body)["redirect"]
        query = parse_qs(urlsplit(redirect).query)
        return {name: query[name][0] for name in ("code", "state", "iss")}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def wait_for(what: str, true: Callable[[], Any], *, every: float = 0.02) -> Any:  # noqa: ANN401 - what is waited for
    """
    Wait until something is true and give it.

    Raises:
        StoryFailed: It did not come true in time.

    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(every)
    raise StoryFailed(f"it did not happen within {PATIENCE_SECONDS:.0f} s: {what}")


def fresh_key() -> str:
    """Make an idempotency key for a new deed."""
    return secrets.token_hex(12)


@contextmanager
def stopwatch(put: Callable[[float], None]) -> Iterator[None]:
    """Hand over the milliseconds that a block took."""
    started = time.perf_counter()
    yield
    put((time.perf_counter() - started) * 1000)
