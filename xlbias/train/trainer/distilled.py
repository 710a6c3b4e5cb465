"""Static encoders distilled from a pretrained one: as the base of a training, or as they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from xlbias.data.task import RetrievalTask
from xlbias.encode.distil import Distilled, Texts, distil
from xlbias.encode.licence import licence_of
from xlbias.encode.load import check_trainable, content_of, find_encoder, load_pretrained
from xlbias.encode.prompts import find_prompts
from xlbias.encode.static import assemble
from xlbias.encode.trained_on import trained_on_of
from xlbias.files import make_folder
from xlbias.narration import Narrator, Silent
from xlbias.train.card import describe_distilled
from xlbias.train.recipe import Recipe, distilling
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.distributed import Processes
from xlbias.train.trainer.output_folder import check_folder
from xlbias.train.trainer.place import Place, check_device
from xlbias.train.trainer.saved_encoder import save_encoder
from xlbias.train.trainer.trainer import quiet_libraries

_TOLD_EVERY = 10.0  # seconds


def distilled_parts(
    recipe: Recipe, texts: Callable[[], Texts], place: Place, narrator: Narrator
) -> tuple[Distilled, dict[str, Any]]:
    """Return the token vectors that `recipe` distils, and what a card says of where they come from.

    Args:
        recipe: names the encoder in ``from``.
        texts: gives the training texts as (language, texts); not called where all tokens of the base are distilled.
        place: where the base encodes; vectors made once serve every training there.
        narrator: told about progress.

    Raises EncoderError where the base cannot be distilled so.
    """
    of_texts = () if recipe.tokens == "base" else (recipe.seed if recipe.tokens == "own" else 0, recipe.vocabulary)
    key = (recipe.distilled_from, recipe.tokens, recipe.token_prompt, recipe.dimension, of_texts)
    if key not in place.made:
        place.made[key] = _distilled(recipe, texts() if recipe.tokens != "base" else (), place, narrator)
    made: tuple[Distilled, dict[str, Any]] = place.made[key]
    return made


def _distilled(recipe: Recipe, texts: Texts, place: Place, narrator: Narrator) -> tuple[Distilled, dict[str, Any]]:
    name = recipe.distilled_from
    base = load_pretrained(
        name, device=place.device, trust_remote_code=place.trust_remote_code, pooling=recipe.pooling or None
    ).model
    found = find_prompts(base.prompts, base.default_prompt_name, query=None, passage=recipe.token_prompt, encoder=name)
    prompt = found.passage.text
    told = time.monotonic()

    def advance(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= _TOLD_EVERY:
            told = time.monotonic()
            narrator.say(f"distilling {name}: {done:,} of {total:,} tokens")

    parts = distil(
        base,
        name=name,
        dimension=recipe.dimension,
        tokens=recipe.tokens,
        prompt=prompt,
        texts=texts,
        vocabulary=recipe.vocabulary,
        seed=recipe.seed,
        advance=advance,
    )
    return parts, {
        "from": name,
        "content": content_of(name),
        "licence": licence_of(name),
        "tokens": recipe.tokens,
        "n_tokens": len(parts.weights),
        "token_prompt": prompt,
        "dimension": recipe.dimension,
        "variance": parts.variance,
    }


def distil_encoder(
    name: str,
    out: str | Path,
    *,
    dimension: int = 256,
    tokens: str = "base",
    token_prompt: str = "",
    tasks: Sequence[RetrievalTask] = (),
    vocabulary: int = 24_000,
    seed: int = 0,
    device: str | None = None,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    narrator: Narrator | None = None,
) -> dict[str, Any]:
    """Distil the encoder `name` into a static one in the folder `out`, and return its card.

    Args:
        name: a sentence-transformers folder or a hub name.
        out: becomes a sentence-transformers folder, which evaluates in seconds and can be trained.
        dimension: length of its vectors.
        tokens: ``base`` for all tokens of the encoder, ``seen`` for those that the texts of `tasks` hold, ``own`` for
            `vocabulary` sub-words learnt from them.
        token_prompt: put before each token: a text, or the name of a prompt that the encoder registers.
        tasks: whose texts are looked at; for ``seen`` and ``own``.
        vocabulary: number of sub-words of ``own``.
        seed: which texts the sub-words of ``own`` are learnt from.
        device: where the encoder runs: ``cpu``, ``cuda`` or ``mps``; by default the best there is.
        trust_remote_code: whether the encoder may run code of its own.
        overwrite: replace what an earlier command left in the folder.
        narrator: told about progress.

    Raises TrainingError where a setting or the folder cannot be used, and EncoderError where the encoder cannot be
    distilled.
    """
    out, narrator, started = Path(out), narrator or Silent(), time.monotonic()
    recipe = distilling(name, dimension, tokens, token_prompt, vocabulary, seed, with_tasks=bool(tasks))
    check_folder(out, overwrite=overwrite)
    check_trainable(name, done="distilled")
    if device is not None:
        check_device(device, recipe)
    place = Place(device, Processes("cpu"), trust_remote_code)
    texts = PairTexts(tasks) if tasks else None
    with quiet_libraries():
        parts, facts = distilled_parts(recipe, texts.texts if texts else tuple, place, narrator)
        model = assemble(parts.tokenizer, parts.weights)
        card = describe_distilled(out.resolve().name, facts, seed, time.monotonic() - started)
        make_folder(out)
        return save_encoder(model, card, out, trained_on_of(find_encoder(name)))
