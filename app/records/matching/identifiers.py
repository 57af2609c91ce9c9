"""Read organization numbers, phone numbers and mail addresses as people type them."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from app.records.matching.lexicon import fold, lexicon

_NOT_DIGIT = re.compile(r"\D+")
_BETWEEN_MAILS = re.compile(r"[;,\s]+")
_NOT_LABEL = re.compile(r"[^a-z0-9æøå]")
_SECOND_SIGNS = frozenset({"ii", "iii", "drift"})
_NO_PHONES = frozenset({"12345678", "87654321", "11223344", "98765432", "91234567"})


def organization_digits(text: str | None) -> str:
    """Keep the digits of an organization number: «NO 988 077 917 MVA», «Org.nr 988.077.917»."""
    if not text or text.isdecimal():
        return text or ""
    return _NOT_DIGIT.sub("", text)


def phone_digits(text: str | None) -> str:
    """Keep the eight digits of a Norwegian phone number; anything else, made-up ones too, is ''."""
    if not text:
        return ""
    digits = _NOT_DIGIT.sub("", text)
    digits = digits.removeprefix("00")
    if len(digits) == 10 and digits.startswith("47"):
        digits = digits[2:]
    if len(digits) != 8 or digits in _NO_PHONES or digits[1:] == digits[1] * 7:
        return ""
    return digits


class Mail(NamedTuple):
    """
    Hold a mail address, read.

    Args:
        address: The whole address in lower case; '' when none is given.
        domain: The company's domain; '' for a provider's (gmail.com and the like).
        label: The first label of that domain folded, without signs and numbers at its end.
        numbered: The label had a number at its end: «osttransport2».

    """

    address: str = ""
    domain: str = ""
    label: str = ""
    numbered: bool = False


NO_MAIL = Mail()


def read_mail(text: str | None) -> Mail:
    """Read the first mail address of a field."""
    if not text or "@" not in text:
        return NO_MAIL
    address = _BETWEEN_MAILS.split(text.strip().lower())[0].removeprefix("mailto:").strip("<>.")
    local, _, domain = address.rpartition("@")
    if not local or "." not in domain:
        return NO_MAIL
    if domain in lexicon().free_mail:
        return Mail(address)
    return Mail(address, domain, *_read_domain(domain))


@lru_cache(maxsize=1 << 12)
def _read_domain(domain: str) -> tuple[str, bool]:
    """Give a domain's label, and whether it had a number at its end."""
    typed = fold(_NOT_LABEL.sub("", domain.split(".", maxsplit=1)[0]))
    label = typed.rstrip("0123456789")
    return label, label != typed


def labels(label: str, joined: str) -> bool:
    """Compare a domain's label with a name run together; labels may be cut short or numbered."""
    shorter = min(len(label), len(joined))
    if shorter < 5:
        return False
    return label == joined or (
        shorter >= 8 and (joined.startswith(label) or label.startswith(joined))
    )


def is_second_domain(mail: Mail, names: Iterable[str], *, numbered: bool) -> bool:
    """
    Say whether a mail domain is a name with a sign beside it, so the plain one is another firm's.

    Such a sign is a number, «II», «Drift» or «Nye».

    Args:
        names: The ways in which the name may be run together.
        numbered: A number stands in the name itself, so one in the domain tells nothing.

    """
    for name in names:
        if labels(mail.label, name):
            signed = mail.label.removeprefix(name) in _SECOND_SIGNS
            return signed or (mail.numbered and not numbered)
        if any(labels(mail.label.removeprefix(sign), name) for sign in lexicon().renewals):
            return True
    return False
