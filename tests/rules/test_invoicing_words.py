"""Sentences about previews and drafts are for readers, whatever the facts are made of."""

from app.invoicing.words import say_problem


def test_several_facts_are_named_one_after_another() -> None:
    """No brackets of a programming language stand in a bookkeeper's sentence."""
    said = say_problem("draft-refused", "nb", {"reasons": ["Feil mva-kode", "Mangler adresse"]})

    assert "Feil mva-kode, Mangler adresse" in said
    assert "[" not in said
