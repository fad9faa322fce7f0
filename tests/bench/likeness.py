"""How well the stages tell repeats from contrasts, on the labelled pairs: ``python -m tests.bench.likeness``.

Each pair is put to a real comparer, one after the other, in a category of its own. A repeat that is turned away is a hit,
a contrast that is turned away a mistake. Asserts nothing; ``--near`` and ``--semantic`` try other thresholds and
``--wrong`` lists the pairs that were judged wrongly.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dsbuilder_tui.diversity.answer import Answer, Question
from dsbuilder_tui.diversity.comparer import Comparer
from dsbuilder_tui.diversity.fingerprints import Fingerprinter
from dsbuilder_tui.diversity.static_embedding import Embedder, built_in_embedder
from dsbuilder_tui.diversity.thresholds import Rules
from dsbuilder_tui.diversity.traits import differing
from tests.diversity.pairs import CONTRASTS, REPEATS, Pair, pairs, unseen_pairs

STAGES = ("structural", "near", "semantic")


@dataclass(frozen=True, slots=True)
class Scores:
    """How like the two texts of a pair are, in the eyes of each stage, and whether anything speaks for contrast."""

    structural: float
    near: float
    semantic: float
    threshold: float  # of near, for texts of this length
    guarded: bool


def answers(labelled: Sequence[Pair], rules: Rules, embedder: Embedder) -> list[Answer]:
    """What a comparer says to the second text of each pair when it has admitted the first."""
    comparer = Comparer(embedder)
    questions = [
        Question(f"{place}", text, expected, rules)
        for place, pair in enumerate(labelled)
        for text, expected in zip((pair.one, pair.other), pair.expectations, strict=True)
    ]
    given = comparer.judge(questions)[1::2]
    comparer.file.close()
    return given


def scores(labelled: Sequence[Pair], rules: Rules, embedder: Embedder) -> list[Scores]:
    """The bare scores, also where a guard would stop a stage."""
    texts = [text for pair in labelled for text in (pair.one, pair.other)]
    prints = Fingerprinter(embedder).prints(texts, [each for pair in labelled for each in pair.expectations])
    found = []
    for place in range(0, len(texts), 2):
        one, other = prints.rows[place], prints.rows[place + 1]
        both = len(np.intersect1d(prints.tokens[place], prints.tokens[place + 1]))
        every = len(np.union1d(prints.tokens[place], prints.tokens[place + 1]))
        found.append(
            Scores(
                float(one["text"] == other["text"]),
                both / max(every, 1),
                float(prints.vectors[place] @ prints.vectors[place + 1]),
                rules.near_for(int(min(one["words"], other["words"]))),
                bool(
                    differing(one["traits"].tolist(), other["traits"].tolist()) or one["expected"] != other["expected"]
                ),
            )
        )
    return found


def auc(values: Sequence[float], repeat: Sequence[bool]) -> float:
    """The share of (repeat, contrast) pairs of pairs in which the repeat scores higher; a tie counts half."""
    score, label = np.array(values), np.array(repeat)
    above = score[label][:, np.newaxis] - score[~label][np.newaxis, :]
    return float((above > 0).mean() + (above == 0).mean() / 2)


def _figures(rejected: Sequence[bool], repeat: Sequence[bool]) -> tuple[float, float]:
    hits = sum(a and b for a, b in zip(rejected, repeat, strict=True))
    return hits / max(sum(rejected), 1), hits / max(sum(repeat), 1)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--near", type=float, default=Rules().near)
    options.add_argument("--semantic", type=float, default=Rules().semantic)
    options.add_argument("--wrong", action="store_true")
    chosen = options.parse_args()
    rules = Rules(near=chosen.near, semantic=chosen.semantic)
    labelled, embedder = pairs(), built_in_embedder()
    repeat = [pair.repeat for pair in labelled]
    bare = scores(labelled, rules, embedder)
    together = answers(labelled, rules, embedder)

    print(f"{len(labelled)} pairs, {sum(repeat)} repeats; near {rules.near}, semantic {rules.semantic}\n")
    print(f"{'stage':<26}{'precision':>10}{'recall':>8}{'AUC':>7}{'AUC unguarded':>15}")
    for stage in STAGES:
        alone = answers(labelled, Rules(frozenset([stage]), rules.near, rules.semantic), embedder)
        precision, recall = _figures([answer.row is None for answer in alone], repeat)
        values = [float(getattr(score, stage)) for score in bare]
        kept = [-1.0 if score.guarded else value for value, score in zip(values, bare, strict=True)]
        print(f"{stage:<26}{precision:>10.3f}{recall:>8.3f}{auc(kept, repeat):>7.3f}{auc(values, repeat):>15.3f}")
    most = [max(s.structural, s.near / s.threshold, s.semantic / rules.semantic) for s in bare]
    kept = [-1.0 if score.guarded else value for value, score in zip(most, bare, strict=True)]
    precision, recall = _figures([answer.row is None for answer in together], repeat)
    print(f"{'together':<26}{precision:>10.3f}{recall:>8.3f}{auc(kept, repeat):>7.3f}{auc(most, repeat):>15.3f}")
    unguarded = [s.structural == 1 or s.near >= s.threshold or s.semantic >= rules.semantic for s in bare]
    precision, recall = _figures(unguarded, repeat)
    print(f"{'together, without guard':<26}{precision:>10.3f}{recall:>8.3f}")

    unseen = unseen_pairs()
    others = [answer.row is None for answer in answers(unseen, rules, embedder)]
    precision, recall = _figures(others, [pair.repeat for pair in unseen])
    print(f"{f'together, {len(unseen)} unseen pairs':<26}{precision:>10.3f}{recall:>8.3f}")

    print(
        f"\n{'kind':<18}{'pairs':>6}{'turned away by':>16}{'':>18}{'let in':>8}{'flagged':>9}{'near':>7}{'cosine':>8}"
    )
    for kind in (*REPEATS, *CONTRASTS):
        some = [place for place, pair in enumerate(labelled) if pair.kind == kind]
        stages = [answer.match.stage if answer.match else "" for answer in (together[place] for place in some)]
        counts = "".join(f"{stages.count(stage):>11}" for stage in STAGES)
        flagged = sum(bool(together[place].flags) for place in some)
        near, cosine = (float(np.median([getattr(bare[p], name) for p in some])) for name in ("near", "semantic"))
        print(f"{kind:<18}{len(some):>6}{counts}{stages.count(''):>8}{flagged:>9}{near:>7.2f}{cosine:>8.2f}")
    print(f"{'':<24}" + "".join(f"{stage:>11}" for stage in STAGES))

    if chosen.wrong:
        for pair, answer, score in zip(labelled, together, bare, strict=True):
            if (answer.row is None) != pair.repeat:
                verdict = f"turned away ({answer.match.stage})" if answer.match else "let in"
                print(f"\n{pair.kind}, {verdict}, near {score.near:.2f}, cosine {score.semantic:.2f}")
                print(f"  {pair.one!r}\n  {pair.other!r}")


if __name__ == "__main__":
    main()
