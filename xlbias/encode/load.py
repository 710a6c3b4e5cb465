"""From the name of an encoder on the command line to an encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xlbias.errors import EncoderError
from xlbias.packaged import packaged_encoders

if TYPE_CHECKING:
    from xlbias.encode.pretrained import PretrainedEncoder

_PICKLED = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")


def find_encoder(name: str) -> str:
    """Return the folder of the encoder `name` if it comes with xlbias and no folder here is called so; else `name`."""
    if Path(name).expanduser().exists():
        return name
    return str(packaged_encoders().get(name, name))


def load_encoder(
    name: str,
    *,
    device: str | None = None,
    trust_remote_code: bool = False,
    batch_size: int = 64,
    query_prompt: str | None = None,
    passage_prompt: str | None = None,
    similarity: str | None = None,
) -> PretrainedEncoder:
    """Load the encoder `name`: a local sentence-transformers folder, one that comes with xlbias, or one on the hub.

    Args:
        name: of the encoder.
        device: a torch device (``cpu``, ``cuda``, ``cuda:1``); by default the best there is.
        trust_remote_code: whether the encoder may run code of its own.
        batch_size: texts encoded at a time.
        query_prompt: what stands before queries, a registered name or a text, ``""`` for nothing; by default the prompt
            that the encoder registers for queries, see `xlbias.encode.prompts`.
        passage_prompt: the same for passages.
        similarity: ``cosine``, ``dot`` or ``euclidean``; by default the encoder's own.

    Raises EncoderError if there is no such encoder, if its weights are pickled, if it needs remote code and
    `trust_remote_code` is off, if a prompt's name is not registered, or if it asks for a distance that cannot be
    ranked by and `similarity` names no other.
    """
    name = find_encoder(name)
    check_encoder(name)
    from xlbias.encode.pretrained import PretrainedEncoder
    from xlbias.encode.trained_on import trained_on_of

    encoder = PretrainedEncoder.load(
        name,
        device=device,
        trust_remote_code=trust_remote_code,
        batch_size=batch_size,
        query_prompt=query_prompt,
        passage_prompt=passage_prompt,
        similarity=similarity,
    )
    encoder.trained_on = trained_on_of(name)
    return encoder


def check_encoder(name: str) -> None:
    """Raise EncoderError where a look at the files shows that `name` is no encoder, or that its weights are pickled."""
    path = Path(find_encoder(name)).expanduser()
    if path.is_dir():
        _check_folder(path)
    elif path.exists():
        raise EncoderError(f"{name}: is a file; expected a sentence-transformers folder or a hub name")
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise EncoderError(f"{name}: there is no such folder; expected a sentence-transformers folder or a hub name")


def _check_folder(path: Path) -> None:
    if not (path / "modules.json").exists() and not (path / "config.json").exists():
        raise EncoderError(f"{path}: is not an encoder: it has neither modules.json nor config.json")
    for pattern in _PICKLED:
        for pickled in path.rglob(pattern):
            if not any(pickled.parent.glob("*.safetensors")):  # each module's folder has weights of its own
                raise EncoderError(
                    f"{pickled}: pickled weights are refused, as they can run code; expected .safetensors"
                )
    if not any(path.rglob("*.safetensors")):
        raise EncoderError(f"{path}: holds no weights; expected a .safetensors file")
