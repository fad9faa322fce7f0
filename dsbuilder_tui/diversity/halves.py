"""Numbers in half precision, read in bulk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGN_AND_VALUE = np.int32(-0x70002000)  # 0x8FFFE000: where the bits of a half lie in a float, once they are moved up
_EXPONENTS_APART = np.float32(2.0**112)


def from_halves(halves: NDArray[Any]) -> NDArray[np.float32]:
    """Finite numbers of half precision (IEEE 754 binary16) in single precision, exactly; infinity and NaN are not told apart
    from large numbers.

    numpy converts one number after another; moving the bits of all together takes a quarter of the time.
    """
    bits = halves.view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= _SIGN_AND_VALUE
    floats = bits.view(np.float32)
    floats *= _EXPONENTS_APART
    return floats
