"""From the name of an encoder on the command line to an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlbias.encode.pretrained import PretrainedEncoder


def load_encoder(
    name: str, *, device: str | None = None, trust_remote_code: bool = False, batch_size: int = 64
) -> PretrainedEncoder:
    """Load the encoder `name`: a local sentence-transformers folder, or the name of one on the hub.

    `device` is a torch device (``cpu``, ``cuda``, ``cuda:1``); by default the best there is. Raises EncoderError if
    there is no such encoder, if its weights are pickled, or if it needs remote code and `trust_remote_code` is off.
    """
    from xlbias.encode.pretrained import PretrainedEncoder

    return PretrainedEncoder.load(name, device=device, trust_remote_code=trust_remote_code, batch_size=batch_size)
