"""Domain shift: what is lost where an encoder is evaluated on another domain than it was trained on."""

from __future__ import annotations

import numpy as np

from xlbias.measures.measure import Direction
from xlbias.measures.ragged import Floats


def relative_drop(in_domain: Floats, zero_shot: Floats, better: Direction = "high") -> Floats:
    """(M[T,T] − M[S,T]) / M[T,T], float64 [...]: the share of its in-domain value that an encoder loses.

    Args:
        in_domain: M[T,T], of the encoder trained on the target's own domain.
        zero_shot: M[S,T], of the encoder trained on source S, with the same sampler and seed.
        better: for a measure of which low values are good the sign is turned, so that a loss is always positive; 0.5 of
            a rank distance means that it grew by half.

    NaN where either is undefined or the in-domain value is 0. Source: `measures.md`, Domain shift.
    """
    lost = np.asarray(zero_shot - in_domain if better == "low" else in_domain - zero_shot, dtype=np.float64)
    base = np.broadcast_to(np.abs(in_domain), lost.shape)
    drop = np.full(lost.shape, np.nan)
    np.divide(lost, base, out=drop, where=base > 0)
    return drop
