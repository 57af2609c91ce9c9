"""Log a person in and hand out tokens: code with PKCE, refresh with rotation, our own client's."""

import base64
import binascii
import hashlib
import html
import secrets
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.sandbox.timerabbit.page import wrapped
from app.sandbox.timerabbit.store import Client, Record, Store

ACCESS_SECONDS = 3600
CODE_LIFETIME = timedelta(minutes=5)
NOTICE = (
    "Prøvetiden er 30 dager. Etter den blir det et betalt abonnement på 12 måneder,"
    " hvis virksomheten ikke melder seg av før."
)


class OAuth:
    """Serve log-in page and token endpoint."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        """Give the routes."""
        return [
            Route("/handover/{key}", self.handover_page, methods=["GET"]),
            Route("/oauth/authorize", self.authorize_page, methods=["GET"]),
            Route("/oauth/consent", self.consent, methods=["POST"]),
            Route("/oauth/token", self.token, methods=["POST"]),
        ]

    async def handover_page(self, request: Request) -> Response:
        """Send the browser of a handover to the log-in page."""
        held = self._store.handover(request.path_params["key"])
        if held is None or held["shown"]["status"] != "pending":
            return HTMLResponse(wrapped("<p>Denne innloggingen er ikke lenger gyldig.</p>"), 400)
        return RedirectResponse(self.authorize_url(held))

    def authorize_url(self, held: Record) -> str:
        """Give the log-in page's address for a handover."""
        asked = held["asked"]
        query = {
            "response_type": "code",
            "client_id": held["client"],
            "redirect_uri": asked["returnUrl"],
            "state": asked["state"],
            "code_challenge": asked["codeChallenge"],
            "code_challenge_method": asked["codeChallengeMethod"],
            "handover": held["shown"]["id"],
        }
        return f"{self._store.base_url}/oauth/authorize?{urlencode(query)}"

    async def authorize_page(self, request: Request) -> Response:
        """Show log-in and consent; refuse without a redirect what names no registered address."""
        query = dict(request.query_params)
        fault = self.fault_of(query)
        if fault is not None:
            return HTMLResponse(wrapped(f"<p>{html.escape(fault)}</p>"), 400)
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(n)}" value="{html.escape(v)}">'
            for n, v in query.items()
        )
        choices = "".join(
            f"<button name=login value={company.id}>Logg inn som administrator av"
            f" {html.escape(company.facts['name'])}</button> "
            for company in self._store.companies.values()
        )
        return HTMLResponse(
            wrapped(
                "<h1>Timerabbit</h1><p>Conta ber om tilgang til kunder, prosjekter og timer.</p>"
                f"<form method=post action=/oauth/consent>{hidden}{choices}"
                f"<hr><p>{NOTICE}</p><button name=login value=register>Registrer prøvekonto"
                "</button></form>"
            )
        )

    def fault_of(self, query: dict[str, str]) -> str | None:
        """Say what is wrong with a log-in request."""
        client = self._store.clients.get(query.get("client_id", ""))
        if client is None:
            return "Ukjent klient."
        if query.get("redirect_uri") not in self.redirects(client):
            return "Ukjent returadresse."
        challenge = query.get("code_challenge", "")
        good = query.get("response_type") == "code" and len(challenge) == 43
        if not good or query.get("code_challenge_method") != "S256":
            return "PKCE (S256) kreves."
        return None if len(query.get("state", "")) >= 16 else "state mangler."

    def redirects(self, client: Client) -> set[str]:
        """Give the addresses a client may return to: registered ones, and those of handovers."""
        asked = {held["asked"]["returnUrl"] for held in self._store.handovers.values()}
        local = {url for url in asked if url.startswith(("http://127.0.0.1", "http://localhost"))}
        return set(client.redirect_uris) | local | ({u for u in asked if ".test/" in u})

    async def consent(self, request: Request) -> Response:
        """Send the browser back with a code."""
        form = await _form(request)
        fault = self.fault_of(form)
        if fault is not None:
            return HTMLResponse(wrapped(f"<p>{html.escape(fault)}</p>"), 400)
        return RedirectResponse(self.consented(form, form.get("login", "")), 303)

    def consented(self, query: dict[str, str], login: str) -> str:
        """Give the address the browser goes to after a person's consent."""
        held = self._store.handovers.get(query.get("handover", ""))
        company_id = login
        if login == "register":
            company_id = self._register(held)
        code = secrets.token_urlsafe(24)
        self._store.codes[code] = {
            "client": query["client_id"], "redirect": query["redirect_uri"], "used": False,
            "challenge": query["code_challenge"], "company": company_id,
            "ends": self._store.clock.now() + CODE_LIFETIME,
        }  # fmt: skip
        if held is not None:
            outcome = "trial_registered" if login == "register" else "existing_account"
            held["shown"] |= {"status": "completed", "outcome": outcome, "companyId": company_id}
        back = {"code": code, "state": query["state"], "iss": self._store.base_url}
        if held is not None:
            back["handover"] = held["shown"]["id"]
        return f"{query['redirect_uri']}?{urlencode(back)}"

    def _register(self, held: Record | None) -> str:
        facts = held["asked"]["company"] if held else {"name": "Ny AS", "organizationNumber": ""}
        company_id = f"cmp_{len(self._store.companies) + 1}"
        company = self._store.add_company(company_id, facts["name"], facts["organizationNumber"])
        ends = (self._store.clock.now() + timedelta(days=30)).date().isoformat()
        company.facts["subscription"] |= {"status": "trial", "trialEndsOn": ends}
        return company_id

    async def token(self, request: Request) -> Response:
        """Answer the token endpoint (RFC 6749)."""
        client = self._client(request.headers.get("authorization", ""))
        if client is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        form = await _form(request)
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh,
            "client_credentials": self._by_client,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        made = grant(client, form)
        return JSONResponse(made, 400 if "error" in made else 200)

    def _client(self, header: str) -> Client | None:
        try:
            text = base64.b64decode(header.removeprefix("Basic "), validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        name, _, secret = text.partition(":")
        client = self._store.clients.get(name)
        given = secret.encode()  # texts beyond ASCII are compared as bytes only
        good = client is not None and secrets.compare_digest(client.secret.encode(), given)
        return client if good else None

    def _by_code(self, client: Client, form: dict[str, str]) -> Record:
        held = self._store.codes.get(form.get("code", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        fits = (
            held is not None
            and not held["used"]
            and held["ends"] > self._store.clock.now()
            and held["client"] == client.id
            and held["redirect"] == form.get("redirect_uri")
            and held["challenge"] == challenge
        )
        if held is None or not fits:
            return {"error": "invalid_grant"}
        held["used"] = True
        return self.grant(client.id, held["company"], family=secrets.token_hex(8))

    def _by_refresh(self, client: Client, form: dict[str, str]) -> Record:
        held = self._store.refresh.get(form.get("refresh_token", ""))
        if held is None or held["client"] != client.id:
            return {"error": "invalid_grant"}
        if held["used"]:
            self.end_family(held["family"])
            return {"error": "invalid_grant"}
        held["used"] = True
        return self.grant(client.id, held["company"], family=held["family"])

    def _by_client(self, client: Client, form: dict[str, str]) -> Record:  # noqa: ARG002
        access = self._access(client.id, "", family="own")
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": ACCESS_SECONDS,
            "scope": "handover.write",
        }  # fmt: skip

    def grant(self, client_id: str, company_id: str, *, family: str) -> Record:
        """Hand out a pair of tokens for one company."""
        refresh = secrets.token_urlsafe(24)
        self._store.refresh[refresh] = {
            "client": client_id, "company": company_id, "family": family, "used": False,
        }  # fmt: skip
        return {
            "access_token": self._access(client_id, company_id, family=family),
            "token_type": "Bearer",
            "expires_in": ACCESS_SECONDS,
            "refresh_token": refresh,
        }

    def _access(self, client_id: str, company_id: str, *, family: str) -> str:
        token = secrets.token_urlsafe(24)
        ends = self._store.clock.now() + timedelta(seconds=ACCESS_SECONDS)
        self._store.access[token] = {
            "client": client_id, "company": company_id, "family": family, "ends": ends,
        }  # fmt: skip
        return token

    def end_family(self, family: str) -> None:
        """End all tokens that come from one log-in."""
        for shelf in (self._store.access, self._store.refresh):
            for token in [t for t, held in shelf.items() if held["family"] == family]:
                del shelf[token]

    def end_company(self, company_id: str) -> None:
        """End all tokens of a company: access was taken back."""
        for shelf in (self._store.access, self._store.refresh):
            for token in [t for t, held in shelf.items() if held["company"] == company_id]:
                del shelf[token]


async def _form(request: Request) -> dict[str, str]:
    # What is no UTF-8 is no known value either; it must not be a fault of the twin's.
    text = (await request.body()).decode(errors="replace")
    return dict(parse_qsl(text, keep_blank_values=True))
