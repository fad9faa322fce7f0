"""Names of groups: words that are said often in one and seldom in the others."""

from __future__ import annotations

from dsbuilder_tui.diversity.telling_words import telling_words


def test_a_group_is_named_by_what_only_its_texts_say() -> None:
    damaged = [f"My {thing} arrived with a cracked screen, please help" for thing in ("phone", "lamp", "clock", "mug")]
    late = [f"Please help, the delivery of my {thing} is late again" for thing in ("phone", "lamp", "clock", "mug")]
    names = telling_words([damaged, late])
    assert names[0] in ("cracked screen", "arrived", "cracked", "screen") and names[1] in ("delivery", "late")
    assert "help" not in names and "please" not in names


def test_no_name_is_given_twice_and_none_is_made_up() -> None:
    same = ["refund the blue chair", "refund the blue chair now"]
    names = telling_words([same, same, [], ["?!", "12 34"]])
    assert names[0] and names[0] != names[1]
    assert names[2:] == ["", ""]


def test_a_word_of_a_single_text_names_nothing() -> None:
    texts = [f"order number {n} has not come" for n in range(20)]
    names = telling_words([[*texts, "a xylophone broke"], ["refund please", "refund it"]])
    assert "xylophone" not in names[0]


def test_other_scripts_have_words_too() -> None:
    names = telling_words([["где мой заказ", "мой заказ не пришёл"], ["верните деньги", "верните мне деньги"]])
    assert "заказ" in names[0] and ("верните" in names[1] or "деньги" in names[1])
