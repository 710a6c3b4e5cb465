"""Mutated inputs of every reader end in a task or lexicon, or in one sentence of our own."""

import json
import random
import shutil

import pytest

from xlbias.data.catalog import load_task
from xlbias.data.describe import describe_task
from xlbias.data.lexicons.load import load_lexicon
from xlbias.data.summary import examples, summarise
from xlbias.errors import XlbiasError

pytestmark = pytest.mark.slow

N = 800  # of each format

ODD = [
    "null", "0", "-1", "1.5", "true", '""', '" "', '"x"', "[]", "{}", "[null]", '{"text": null}', '"\\ud800"',
    '"\\u0000"', "1" + "0" * 30, "Infinity", "NaN", '["a"]', "[[0, 1]]", '"und"', '"en"', '"ZZ"', '"i-default"',
    f'"{"a" * 300}"', '"e\\u0301"',
]  # fmt: skip
OPTIONS = ["", "[parallel=no]", "[self=ignore]", "[split=test;test=0.5]", "[languages=en]", "[split=train;parallel=no]"]


def changed(rng, value):
    """Return JSON with one to three of its parts removed, doubled, renamed or replaced."""
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice([1, 1, 2, 3])):
        places = []
        stack = [value]
        while stack:
            holder = stack.pop()
            if isinstance(holder, dict | list):
                keys = list(holder) if isinstance(holder, dict) else range(len(holder))
                places += [(holder, key) for key in keys]
                stack += [holder[key] for key in keys]
        if not places:
            return json.loads(rng.choice(ODD))
        holder, key = rng.choice(places)
        how = rng.random()
        if how < 0.2:
            del holder[key]
        elif how < 0.3 and isinstance(holder, list):
            holder.append(json.loads(json.dumps(holder[key])))
        elif how < 0.4 and isinstance(holder, dict):
            holder[rng.choice(ODD)] = holder.pop(key)
        else:
            holder[key] = json.loads(rng.choice(ODD))
    return value


def damaged(rng, content):
    """Return bytes with some of them changed, removed, added or cut off."""
    content = bytearray(content)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        place, how = rng.randrange(len(content) + 1), rng.random()
        if how < 0.4:
            content[place : place + 1] = rng.randbytes(1)
        elif how < 0.6:
            del content[place : place + rng.randrange(1, 8)]
        elif how < 0.8:
            content[place:place] = rng.randbytes(rng.randrange(1, 5))
        elif how < 0.9:
            del content[place:]
        else:
            content[place:place] = content[max(0, place - 20) : place]
    return bytes(content)


def either(rng, value):
    if rng.random() < 0.6:
        return json.dumps(changed(rng, value)).encode()
    return damaged(rng, json.dumps(value).encode())


def questions(language):
    asked = {"id": "q1", "question": "Which?", "answers": [{"answer_start": 5, "text": "Two"}], "is_impossible": False}
    as_lists = {"id": "q2", "question": "What?", "answers": {"text": ["One"], "answer_start": [0]}}
    paragraph = {"context": f"One. Two {language}.", "sentence_breaks": [[0, 4], [5, 12]], "qas": [asked, as_lists]}
    return {"data": [{"title": "t", "paragraphs": [paragraph]}]}


def write_squad(rng, folder):
    for language in ("de", "en"):
        (folder / f"{language}.json").write_bytes(either(rng, questions(language)))
    return f"{rng.choice(['squad', 'lareqa'])}:{folder}{rng.choice(OPTIONS)}"


def write_parallel(rng, folder):
    items = [
        {
            "id": f"{n}",
            "language": tag,
            "query": f"{n}{tag}?",
            "passage": f"{n}{tag}",
            "document": "d",
            "negatives": ["no"],
        }
        for n in range(3)
        for tag in ("de", "en")
    ]
    items = changed(rng, items) if rng.random() < 0.6 else items
    lines = b"\n".join(json.dumps(item).encode() for item in (items if isinstance(items, list) else [items]))
    (folder / "x.jsonl").write_bytes(damaged(rng, lines) if rng.random() < 0.4 else lines)
    return f"parallel:{folder}/x.jsonl{rng.choice(OPTIONS)}"


def write_bitext(rng, folder):
    for ending in rng.choice([("de", "en"), ("arb", "ar"), ("src", "tgt"), ("en", "en.bak", "de"), ("twi", "aka")]):
        (folder / f"corpus.{ending}").write_bytes(damaged(rng, "eins\nzwei\ndrei ä\n".encode()))
    (folder / "DOCUMENT_IDS.tsv").write_bytes(damaged(rng, b"a\na\nb\n"))
    return f"bitext:{folder}{rng.choice([*OPTIONS, '[pairs=headline]'])}"


def write_sib200(rng, folder):
    for language in ("de", "eng_Latn"):
        (folder / language).mkdir()
        rows = b'index_id\tcategory\ttext\n1\tsports\tOne\n2\ttravel\t"Tw""o"\n'
        (folder / language / "test.tsv").write_bytes(damaged(rng, rows))
    return f"sib200:{folder}{rng.choice(OPTIONS)}"


def write_cldr(rng, folder):
    for language, name in (("de", "Hund"), ("en", "dog")):
        emoji = {"🐕": {"default": ["a"], "tts": [name]}, "x": {"default": ["b", "c"], "tts": ["b, c"]}}
        (folder / f"{language}.json").write_bytes(either(rng, {"annotations": {"annotations": emoji}}))
    return str(folder)


def write_tsv(rng, folder):
    (folder / "en-de.tsv").write_bytes(damaged(rng, b"dog\tHund\ncat\tKatze\n"))
    return str(folder / "en-de.tsv")


@pytest.mark.parametrize("write", [write_squad, write_parallel, write_bitext, write_sib200, write_cldr, write_tsv])
def test_a_mutated_input_is_read_or_refused_in_one_sentence(tmp_path, write):
    rng = random.Random(f"{write.__name__} 1")
    n_read = 0
    for n in range(N):
        folder = tmp_path / f"{n}"
        folder.mkdir()
        spec = write(rng, folder)
        try:
            if write in (write_cldr, write_tsv):
                lexicon = load_lexicon([spec])
                assert all(len(lexicon.targets(language)) <= 1 for language in lexicon.languages)
            else:
                task = load_task(spec)
                assert summarise(task)["n_pairs"] == describe_task(task)["n_pairs"] > 0
                assert len(examples(task, 2)) <= 2
            n_read += 1
        except XlbiasError as error:
            assert len(str(error).splitlines()) == 1
        shutil.rmtree(folder)
    assert 0 < n_read < N
