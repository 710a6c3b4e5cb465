"""The encoder that a training begins from: made from the training texts, loaded, or taken from a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import transformers
from sentence_transformers import SentenceTransformer

from xlbias.encode.load import load_pretrained
from xlbias.encode.prompts import find_prompts, trained_prompts
from xlbias.encode.static import assemble, static_parts
from xlbias.errors import TrainingError
from xlbias.narration import Narrator
from xlbias.train.recipe import STATIC, Recipe
from xlbias.train.sampling.pairs import PairTexts
from xlbias.train.trainer.distilled import distilled_parts
from xlbias.train.trainer.lora import with_lora
from xlbias.train.trainer.place import Place


class BaseEncoder:
    """The base of one training, with the recipe's prefixes as its prompts, or its own where the recipe has none.

    Args:
        name: of the training, which what is said begins with.
        recipe: names the base, and how long texts may be.
        texts: training pairs, whose texts the sub-words of ``static`` are learnt from.
        place: where it is trained.
        narrator: told what is loaded and with which prompts.
    """

    def __init__(self, name: str, recipe: Recipe, texts: PairTexts, place: Place, narrator: Narrator) -> None:
        self.name, self.recipe, self.texts, self.place, self.narrator = name, recipe, texts, place, narrator
        self.prompts = {"query": "", "passage": ""}
        """What is put before queries and passages; known once the base is loaded."""
        self.distilled: dict[str, Any] | None = None
        """What a card says of the encoder that token vectors were distilled from; known once the base is loaded."""

    def load(self) -> SentenceTransformer:
        """Return the base. All processes must call this. Raises TrainingError where it cannot be trained so."""
        if self.recipe.distilled_from:
            self.narrator.say(f"distilling {self.recipe.distilled_from}")
        elif self.recipe.base == STATIC:
            self.narrator.say(f"learning {self.recipe.vocabulary:,} sub-words from the training texts")
        else:
            self.narrator.say(f"loading {self.recipe.base}")
        self._seed()
        model = self._prepared(self._made(shared=True, narrator=self.narrator), said=True)
        if self.recipe.lora_rank:
            with_lora(model, self.recipe)
        return model

    def again(self) -> SentenceTransformer:
        """Return the base once more, in this process only and without a word."""
        self._seed()
        return self._prepared(self._made(shared=False, narrator=None), said=False)

    def resumed(self, checkpoint: Path) -> SentenceTransformer:
        """Return the encoder of a checkpoint, with the prompts of the base."""
        self.narrator.say(f"{self.name}: going on from {checkpoint}")
        self._seed()
        if not self.recipe.lora_rank:
            return self._prepared(self._loaded(str(checkpoint)), said=False)
        model = self._prepared(self._made(shared=False, narrator=None), said=False)
        with_lora(model, self.recipe, checkpoint)
        return model

    def of_checkpoint(self, checkpoint: Path) -> SentenceTransformer:
        """Return the encoder of a checkpoint as it is, on the CPU."""
        return load_pretrained(str(checkpoint), device="cpu", trust_remote_code=self.place.trust_remote_code).model

    def _seed(self) -> None:
        transformers.set_seed(self.recipe.seed)  # for weights that the base lacks, such as an unused pooler

    def _loaded(self, checkpoint: str) -> SentenceTransformer:
        return load_pretrained(
            checkpoint, device=self.place.device, trust_remote_code=self.place.trust_remote_code
        ).model

    def _made(self, *, shared: bool, narrator: Narrator | None) -> SentenceTransformer:
        recipe = self.recipe
        if recipe.base == STATIC:
            return assemble(*(self.place.processes.shared(self._static_parts) if shared else self._static_parts()))
        return load_pretrained(
            recipe.base,
            device=self.place.device,
            similarity="cosine",  # what it will be compared by, whatever it asks for now
            trust_remote_code=self.place.trust_remote_code,
            pooling=recipe.pooling or None,
            say=narrator.say if narrator else None,
        ).model

    def _static_parts(self) -> tuple[str, npt.NDArray[np.float32]]:
        recipe = self.recipe
        if recipe.distilled_from:
            parts, self.distilled = distilled_parts(recipe, self.texts.texts, self.place, self.narrator)
            return parts.tokenizer, parts.weights
        return static_parts(
            self.texts.texts(),
            dimension=recipe.dimension,
            vocabulary=recipe.vocabulary,
            scale=recipe.initial_scale,
            seed=recipe.seed,
        )

    def _prepared(self, model: SentenceTransformer, *, said: bool) -> SentenceTransformer:
        self._set_prompts(model, said=said)
        model.similarity_fn_name = "cosine"  # what it is trained for, whatever the base was
        if self.recipe.max_length:
            check_length(model, self.recipe.max_length)
            model.max_seq_length = self.recipe.max_length
        return model

    def _set_prompts(self, model: SentenceTransformer, *, said: bool) -> None:
        """Register what is trained with as the prompts of `model`; `said` on stderr too."""
        recipe, default = self.recipe, model.default_prompt_name
        found = find_prompts(
            model.prompts, default, query=recipe.query_prefix, passage=recipe.passage_prefix, encoder=recipe.base
        )
        if said and recipe.base != STATIC:
            for line in (f"prompts: {found}", *found.doubts):
                self.narrator.say(f"{self.name}: {line}")
        self.prompts = {"query": found.query.text, "passage": found.passage.text}
        model.prompts = trained_prompts(model.prompts, **self.prompts)
        if default is not None and model.prompts.get(default) not in self.prompts.values():
            model.default_prompt_name = None  # plain encode would put something else before texts


def check_length(model: SentenceTransformer, length: int) -> None:
    """Raise TrainingError if `model` has no positions for texts of `length` tokens, as far as its config says."""
    config = getattr(getattr(model[0], "auto_model", None), "config", None)
    positions = getattr(config, "max_position_embeddings", None)
    if not isinstance(positions, int) or positions < 1:
        return
    if getattr(config, "model_type", "") in {"roberta", "xlm-roberta", "camembert"}:
        positions -= int(getattr(config, "pad_token_id", 1) or 0) + 1  # they count from behind the padding
    if length > positions:
        raise TrainingError(f"max_length is {length}: the base has positions for {positions} tokens")
