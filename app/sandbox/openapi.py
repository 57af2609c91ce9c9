"""Read an OpenAPI description and say where a call or an answer is untrue to it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl

import jsonschema_rs
import yaml

from app.sandbox.values import read_json, spread_out, typed
from app.shipped import shipped

FOLDER = shipped("openapi")
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options"})


@dataclass(frozen=True)
class Flaw:
    """
    Say where something is untrue to the contract, and how.

    Args:
        place: body, query, path, header, status, content-type or operation.
        pointer: The way to the value inside that place.
        rule: The schema's keyword that failed, such as ``minLength`` or ``required``.
        text: For a person.

    """

    place: str
    pointer: tuple[str | int, ...]
    rule: str
    text: str

    def __str__(self) -> str:
        where = "/".join([self.place, *map(str, self.pointer)])
        return f"{where}: {self.text}"


@dataclass(frozen=True)
class Operation:
    """Describe one operation: its resolved description, and where each part stands."""

    method: str
    template: str
    spot: str
    raw: Mapping[str, Any]
    parameters: tuple[tuple[str, Mapping[str, Any]], ...]


class Call(NamedTuple):
    """Carry what a request says, as the checks need it."""

    query: bytes = b""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Contract:
    """
    Read ``openapi/<name>.yaml`` and check calls against it; validators are compiled on first use.

    Args:
        prefix: Path before the description's own paths, where the twin serves it; a path with
            ``servers`` of its own stands beside it.

    """

    def __init__(self, name: str, *, prefix: str = "") -> None:
        self.name = name
        self.prefix = prefix
        self._validators: dict[str, Any] = {}

    @cached_property
    def document(self) -> dict[str, Any]:
        """Give the whole description, ``int64`` limits written out; shared by all, so read only."""
        return _loaded(self.name)[0]

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Give the operation of a call and the values of its path parameters."""
        for pattern, operations in self._templates:
            found = pattern.fullmatch(path)
            if found and (operation := operations.get(method.lower())):
                return operation, found.groupdict()
        return None

    def methods(self, path: str) -> set[str]:
        """Give the methods (upper case) that a path has; none for an unknown path."""
        return {
            method.upper()
            for pattern, operations in self._templates
            if pattern.fullmatch(path)
            for method in operations
        }

    def template(self, method: str, path: str) -> str:
        """Give the path with names instead of values, or the path itself when it is unknown."""
        found = self.find(method, path)
        return self._served(found[0].template) if found else path

    def request_flaws(
        self, operation: Operation, values: Mapping[str, str], call: Call
    ) -> list[Flaw]:
        """Check path, query, headers and body of a request."""
        flaws = self.parameter_flaws(operation, "path", values)
        query = spread_out(parse_qsl(call.query.decode(), keep_blank_values=True))
        flaws += self.parameter_flaws(operation, "query", query)
        flaws += self.parameter_flaws(operation, "header", call.headers)
        return flaws + self.body_flaws(operation, call)

    def parameter_flaws(
        self, operation: Operation, place: str, given: Mapping[str, str | list[str]]
    ) -> list[Flaw]:
        """Check the parameters of one place; in the query unknown names are flaws too."""
        flaws = []
        known = {p["name"]: (spot, p) for spot, p in operation.parameters if p["in"] == place}
        for name, (spot, parameter) in known.items():
            value = given.get(name.lower() if place == "header" else name)
            if value is None:
                if parameter.get("required"):
                    flaws.append(Flaw(place, (name,), "required", "is required"))
                continue
            read = typed(value, self._resolved(parameter.get("schema", {})), parameter)
            flaws += self._flaws(f"{spot}/schema", read, place, (name,))
        if place == "query":
            flaws += [
                Flaw(place, (name,), "unknown", "is not in the contract")
                for name in given
                if name not in known
            ]
        return flaws

    def parameter_values(
        self, operation: Operation, place: str, given: Mapping[str, str | list[str]]
    ) -> dict[str, Any]:
        """Read the parameters of one place as their schema types them; defaults are filled in."""
        values = {}
        for _, parameter in operation.parameters:
            if parameter["in"] != place:
                continue
            schema = self._resolved(parameter.get("schema", {}))
            if (value := given.get(parameter["name"])) is not None:
                values[parameter["name"]] = typed(value, schema, parameter)
            elif "default" in schema:
                values[parameter["name"]] = schema["default"]
        return values

    def body_flaws(self, operation: Operation, call: Call) -> list[Flaw]:
        """Check the body of a request: its kind, that it can be read, and its schema."""
        spot, body = self._followed(
            f"{operation.spot}/requestBody", operation.raw.get("requestBody")
        )
        if body is None:
            return []
        if not call.body:
            missing = Flaw("body", (), "required", "is required")
            return [missing] if body.get("required") else []
        return self._content_flaws(spot, body, call.headers.get("content-type", ""), call.body)

    def answer_flaws(
        self, operation: Operation, status: int, headers: Mapping[str, str], body: bytes
    ) -> list[Flaw]:
        """Check an answer: status, content type and schema."""
        answers = operation.raw.get("responses", {})
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in answers:
                spot, answer = self._followed(f"{operation.spot}/responses/{key}", answers[key])
                break
        else:
            return [Flaw("status", (), "status", f"{status} is not in the contract")]
        if not answer or not answer.get("content"):
            return []
        return self._content_flaws(spot, answer, headers.get("content-type", ""), body)

    def _content_flaws(
        self, spot: str, holder: Mapping[str, Any], content_type: str, body: bytes
    ) -> list[Flaw]:
        kind = content_type.partition(";")[0].strip().lower()
        if kind not in holder["content"]:
            return [Flaw("content-type", (), "content-type", f"{kind!r} is not in the contract")]
        reader = next((read for mark, read in READERS.items() if mark in kind), None)
        if reader is None:
            return []
        try:
            value = reader(body)
        except ValueError as error:
            return [Flaw("body", (), "unreadable", f"cannot be read as {kind}: {error}")]
        if "schema" not in holder["content"][kind]:
            return []
        return self._flaws(f"{spot}/content/{_escaped(kind)}/schema", value, "body", ())

    def _flaws(
        self, spot: str, value: object, place: str, pointer: tuple[str | int, ...]
    ) -> list[Flaw]:
        if (validator := self._validators.get(spot)) is None:
            validator = jsonschema_rs.Draft202012Validator(
                {"$ref": f"urn:contract#{spot}"},
                registry=_loaded(self.name)[1],
                validate_formats=True,
            )
            self._validators[spot] = validator
        return [
            Flaw(place, (*pointer, *error.instance_path), error.kind.name, error.message)
            for error in validator.iter_errors(value)
        ]

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], dict[str, Operation]]]:
        # Templates with fewer names come first: /invoices/unpaid before /invoices/{id}.
        paths = sorted(self.document["paths"].items(), key=lambda item: item[0].count("{"))
        return [
            (
                re.compile(_pattern(self._served(template))),
                {m: self._operation(template, m) for m in item if m in METHODS},
            )
            for template, item in paths
        ]

    def _served(self, template: str) -> str:
        own = "servers" in self.document["paths"][template]
        return template if own else self.prefix + template

    def _operation(self, template: str, method: str) -> Operation:
        item = self.document["paths"][template]
        spot = f"/paths/{_escaped(template)}"
        parameters = [
            self._followed(f"{where}/parameters/{number}", parameter)
            for where, holder in ((spot, item), (f"{spot}/{method}", item[method]))
            for number, parameter in enumerate(holder.get("parameters", []))
        ]
        return Operation(method, template, f"{spot}/{method}", item[method], tuple(parameters))

    def _followed(self, spot: str, part: Any) -> tuple[str, Any]:  # noqa: ANN401 - any node
        while isinstance(part, dict) and "$ref" in part:
            spot = part["$ref"].removeprefix("#")
            part = self.document
            for step in spot.strip("/").split("/"):
                part = part[step.replace("~1", "/").replace("~0", "~")]
        return spot, part

    def _resolved(self, schema: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any node
        resolved: Mapping[str, Any] = self._followed("", schema)[1]
        return resolved


@cache
def contract_of(name: str, prefix: str = "") -> Contract:
    """Give the one reading of a contract that all twins of a process share; it only grows."""
    return Contract(name, prefix=prefix)


@cache
def _loaded(name: str) -> tuple[dict[str, Any], Any]:
    # Tests make hundreds of twins; reading the file takes longer than all else that they do.
    document = yaml.load((FOLDER / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    _bound(document)
    draft = jsonschema_rs.Draft202012
    return document, jsonschema_rs.Registry([("urn:contract", document)], draft=draft)


def _bound(node: object) -> None:
    # A format says nothing to a validator of numbers; the limits of 64 bits do.
    if isinstance(node, list):
        for child in node:
            _bound(child)
    if not isinstance(node, dict):
        return
    if node.get("format") == "int64":
        node.setdefault("minimum", -(2**63))
        node.setdefault("maximum", 2**63 - 1)
    for child in node.values():
        _bound(child)


def _form(body: bytes) -> dict[str, str]:
    values_by_name = parse_qs(body.decode(), keep_blank_values=True)
    return {name: values[-1] for name, values in values_by_name.items()}


READERS: Mapping[str, Callable[[bytes], Any]] = {"json": read_json, "urlencoded": _form}


def _pattern(template: str) -> str:
    parts = re.split(r"\{([^}]+)\}", template)
    return "".join(
        f"(?P<{part}>[^/]+)" if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )


def _escaped(step: str) -> str:
    # Braces and blanks must not stand in a URI fragment; the pointer's own signs come first.
    pointer = step.replace("~", "~0").replace("/", "~1")
    return pointer.replace("{", "%7B").replace("}", "%7D")
