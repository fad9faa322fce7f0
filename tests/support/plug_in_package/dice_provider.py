"""A provider: sentences thrown with dice. The first tries leave a placeholder in every third text, and open every fourth alike."""

import json
import random

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.models.protocol import StreamEnd
from dsbuilder_tui.models.providers import Provider

WORDS = "parcel invoice refund password address warranty delivery voucher account colour size order coat".split()


class Dice:
    name, provider, ordered = "dice-1", "dice", True

    def check(self, plan):
        return []

    async def stream(self, request):
        for number, wanted in enumerate(request.slots, 1):
            draw = random.Random(f"{request.seed} {wanted.slot.ordinal} {wanted.attempt}")
            words = draw.sample(WORDS, 6)
            if wanted.slot.ordinal % 3 == 0 and not wanted.attempt:
                words[-1] = "[name]"
            if wanted.slot.ordinal % 4 == 1 and not wanted.attempt:
                words[:2] = "kindly", "tell"
            yield json.dumps({"slot": number, "inputs": {"query": " ".join(words)}})
        yield StreamEnd("stop", Usage())

    async def close(self):
        pass


PROVIDER = Provider(
    label="the dice", model_name="dice-1", needs_key=False, is_free=True, make=lambda config, clock: Dice()
)
