"""Near texts belong to one group, in chains too; others stand alone."""

from __future__ import annotations

from dsbuilder_tui.diversity.near_groups import near_groups

FAR = [
    "Where is my parcel?", "How do I cancel the subscription?", "Is the red jacket washable?",
    "My card was charged twice yesterday.", "Which documents do you need for a visa?",
]  # fmt: skip


def test_texts_that_have_nothing_in_common_stand_alone() -> None:
    assert near_groups(FAR) == [0, 1, 2, 3, 4]
    assert near_groups([]) == []


def test_what_differs_in_an_amount_a_negation_or_an_id_belongs_together() -> None:
    texts = [
        "Can I get 50 dollars back on my last order of garden furniture?",
        "Can I get 500 dollars back on my last order of garden furniture?",
        *FAR,
        "I do want the extended warranty for the washing machine.",
        "I do not want the extended warranty for the washing machine.",
        "Where is my parcel?",
    ]
    assert near_groups(texts) == [0, 0, 2, 3, 4, 5, 6, 7, 7, 2]


def test_a_chain_is_one_group_whatever_the_order() -> None:
    words = (
        "the quick brown fox jumps over the lazy dog near the old stone bridge by the quiet river bank today".split()
    )
    chain = [" ".join([*words[:place], "something", *words[place + 1 :]]) for place in (2, 9, 16)]
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        assert near_groups([*FAR, *(chain[place] for place in order)])[5:] == [5, 5, 5]
    assert near_groups(FAR * 300)[:10] == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
