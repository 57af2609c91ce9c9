"""A refusal is said in words: our own, else the system's, and its code only where neither is."""

import pytest

from app.changes.refusals import refusal_texts, say_reason
from app.changes.why import explain
from app.problems import LANGUAGES


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ({"code": "too-long", "field": "name", "text": {}}, "teksten er for lang – navn"),
        ({"code": "required", "field": "address.city"}, "feltet mangler – poststed"),
        ({"code": "Odd", "field": "email", "text": {"nb": "Ugyldig"}}, "Ugyldig – e-post"),
        ({"code": "Odd", "field": None, "text": {"en": "Not valid"}}, "Not valid"),
        ({"code": "TooLong", "field": "name", "text": {}}, "TooLong – navn"),
        ({"code": "http-422", "field": "phone"}, "telefon"),
        ({"code": "http-422", "field": None}, "http-422"),
        ({"code": "Odd", "field": "strange"}, "Odd – strange"),
        ({}, "–"),
    ],
)
def test_a_reason_in_words(reason: dict[str, object], said: str) -> None:
    """Reason and field, each as people call it."""
    assert say_reason(reason, "nb") == said


def test_every_text_exists_in_each_language() -> None:
    """Nobody reads half a sentence in another language."""
    for part in refusal_texts().values():
        for texts in part.values():
            assert set(texts) == set(LANGUAGES)


def test_a_refused_change_is_told_without_codes() -> None:
    """The inbox's sentence holds words only."""
    facts = {"side": "books", "reasons": [{"code": "too-long", "field": "name", "text": {}}]}

    said = {one: explain("other-system-refused", facts, language=one).detail for one in LANGUAGES}

    assert said["nb"] == "Avslag: teksten er for lang – navn. Ingenting er endret der."
    assert said["en"] == "Refused: the text is too long – name. Nothing was changed there."
