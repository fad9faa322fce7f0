"""A comparing stage: two texts that begin with the same two words are one too many."""

from dsbuilder_tui.diversity.comparing_stage import TextStage


class Openings:
    def __init__(self):
        self._row = {}

    def admit(self, row, case):
        self._row.setdefault(tuple(case.masked.split()[:2]), row)

    def nearest(self, case):
        row = self._row.get(tuple(case.masked.split()[:2]))
        return [] if row is None else [(row, 1.0)]


STAGE = TextStage(label="same opening", meaning="The two begin with the same two words.", threshold=0.9, make=Openings)
