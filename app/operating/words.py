"""Say the view in nb, nn and en; codes stay codes, since commands and documents take them."""

from collections.abc import Mapping
from typing import Final

from app.problems import say

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "workers": {"nb": "arbeidere", "nn": "arbeidarar", "en": "workers"},
    "jobs": {"nb": "jobber", "nn": "jobbar", "en": "jobs"},
    "links": {"nb": "koblinger", "nn": "koplingar", "en": "links"},
    "sealed": {"nb": "forseglet med", "nn": "forsegla med", "en": "sealed with"},
    "of-closed": {
        "nb": "i avsluttede koblinger: {keys}",
        "nn": "i avslutta koplingar: {keys}",
        "en": "in closed links: {keys}",
    },
    "alive": {"nb": "i live", "nn": "i live", "en": "alive"},
    "none": {"nb": "ingen", "nn": "ingen", "en": "none"},
    "todo": {"nb": "venter", "nn": "ventar", "en": "waiting"},
    "doing": {"nb": "i arbeid", "nn": "i arbeid", "en": "under way"},
    "failed": {"nb": "mislyktes", "nn": "mislukkast", "en": "failed"},
    "connecting": {"nb": "settes opp", "nn": "vert sett opp", "en": "connecting"},
    "reviewing": {"nb": "til gjennomgang", "nn": "til gjennomgang", "en": "reviewing"},
    "active": {"nb": "aktiv", "nn": "aktiv", "en": "active"},
    "paused": {"nb": "på pause", "nn": "på pause", "en": "paused"},
    "closed": {"nb": "avsluttet", "nn": "avslutta", "en": "closed"},
    "link": {"nb": "kobling", "nn": "kopling", "en": "link"},
    "state": {"nb": "tilstand", "nn": "tilstand", "en": "state"},
    "what": {"nb": "hva", "nn": "kva", "en": "what"},
    "to-do": {"nb": "hva som må gjøres", "nn": "kva som må gjerast", "en": "what to do"},
    "not-migrated": {
        "nb": "databasen er ikke migrert: kjør timerabbit-conta migrate",
        "nn": "databasen er ikkje migrert: køyr timerabbit-conta migrate",
        "en": "database not migrated: run timerabbit-conta migrate",
    },
    "no-worker": {
        "nb": "Ingen arbeider er i live: start en (timerabbit-conta worker).",
        "nn": "Ingen arbeidar er i live: start ein (timerabbit-conta worker).",
        "en": "No worker is alive: start one (timerabbit-conta worker).",
    },
    "nobody": {
        "nb": "Ingen kobling trenger driften.",
        "nn": "Inga kopling treng drifta.",
        "en": "No link needs the operator.",
    },
    "own-people": {
        "nb": "Det kundens egne folk blir spurt om, står i koblingens …/status.",
        "nn": "Det kunden sine eigne folk vert spurde om, står i …/status for koplinga.",
        "en": "What asks a customer's own people stands in that link's …/status.",
    },
    "why-paused": {"nb": "på pause: {code}", "nn": "på pause: {code}", "en": "paused: {code}"},
    "parked": {
        "nb": "{count} venter på et menneske: {code}",
        "nn": "{count} ventar på eit menneske: {code}",
        "en": "{count} parked: {code}",
    },
    "drafts": {
        "nb": "utkast med problemet {code}: {count}",
        "nn": "utkast med problemet {code}: {count}",
        "en": "drafts with the problem {code}: {count}",
    },
    "late": {
        "nb": "endringer som venter: {count}, forsinket {late}",
        "nn": "endringar som ventar: {count}, forseinka {late}",
        "en": "changes waiting: {count}, late by {late}",
    },
    "hours": {
        "nb": "{hours} t {minutes} min",
        "nn": "{hours} t {minutes} min",
        "en": "{hours} h {minutes} min",
    },
    "minutes": {"nb": "{minutes} min", "nn": "{minutes} min", "en": "{minutes} min"},
    "ledger": {"nb": "timeboken", "nn": "timeboka", "en": "ledger"},
    "violations": {
        "nb": "brudd: {count}, sist kontrollert {when}",
        "nn": "brot: {count}, sist kontrollert {when}",
        "en": "violations: {count}, last checked {when}",
    },
    "violated": {
        "nb": "brudd på {code}: {count}",
        "nn": "brot på {code}: {count}",
        "en": "violations of {code}: {count}",
    },
    "never": {"nb": "aldri", "nn": "aldri", "en": "never"},
    "unchecked": {
        "nb": "koblinger som ikke er kontrollert: {count}",
        "nn": "koplingar som ikkje er kontrollerte: {count}",
        "en": "links not checked: {count}",
    },
    "already-told": {
        "nb": "noen i virksomheten er spurt",
        "nn": "nokon i verksemda er spurd",
        "en": "someone of the organization is asked",
    },
    "links-checked": {
        "nb": "koblinger kontrollert: {links}, brudd: {count}",
        "nn": "koplingar kontrollerte: {links}, brot: {count}",
        "en": "links checked: {links}, violations: {count}",
    },
    "more": {"nb": "… og {count} til", "nn": "… og {count} til", "en": "… and {count} more"},
}


def word(name: str, language: str, **facts: object) -> str:
    """Say a part of the view in a language; what has no words, such as a new state, says itself."""
    texts = _WORDS.get(name)
    if texts is None:
        return name
    return say(texts, language, {fact: str(value) for fact, value in facts.items()})
