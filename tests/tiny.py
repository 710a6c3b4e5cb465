"""Encoders of a few kilobytes with random weights, in the layouts that are found in the wild."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedModel, PreTrainedTokenizerFast

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{number}" for number in range(60))]


def bare_transformer(folder: Path, kind: type[PreTrainedModel] = BertModel, **config: Any) -> Path:
    """Save a model of transformers with its tokenizer, and nothing that says how to pool it."""
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    torch.manual_seed(0)
    kind(
        BertConfig(
            vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=64, **config,
        )
    ).save_pretrained(folder)  # fmt: skip
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=32,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def encoder(folder: Path, pooling: str = "mean") -> Path:
    """Save an encoder as sentence-transformers does."""
    bare = bare_transformer(folder.with_name(folder.name + "-bare"))
    transformer = Transformer(str(bare))
    SentenceTransformer(modules=[transformer, Pooling(16, pooling)], device="cpu").save(str(folder))
    shutil.rmtree(bare)
    return folder


def edit_json(file: Path, edit: Callable[[Any], object]) -> None:
    """Change what a JSON file holds, in place; one that is not there is taken for an empty object."""
    content = json.loads(file.read_text("utf-8")) if file.exists() else {}
    edit(content)
    file.write_text(json.dumps(content), "utf-8")


def edit_weights(file: Path, edit: Callable[[dict[str, torch.Tensor]], object]) -> None:
    """Change the tensors of a safetensors file, in place."""
    tensors = load_file(file)
    edit(tensors)
    save_file(tensors, file, {"format": "pt"})
