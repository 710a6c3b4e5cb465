"""What `xlbias data pull` knows: each set with its licence, citation, addresses, and checksums where these are known.

A checksum stands here only where it is that of the bytes at that address: taken of the files at that commit, or stated
by ir_datasets. What has none is recorded on the first download, beside the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Download:
    """A file to fetch.

    Attributes:
        url: its address.
        path: where it lies below the set's folder; of an archive, its own name, as it is not kept.
        checksum: ``sha256:...`` or ``md5:...``; empty where it is not known.
        size: bytes, about; 0 where that is not known.
        language: of its texts; empty for what all languages need.
        members: of an archive, patterns of the members that are kept → their paths below the set's folder.
    """

    url: str
    path: str
    checksum: str = ""
    size: int = 0
    language: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hub:
    """A data set on the Hugging Face hub, at one revision, and which split of its judgements; the first, if empty."""

    name: str
    revision: str
    part: str = ""


@dataclass(frozen=True)
class PublicSet:
    """A public data set.

    Attributes:
        name: what `xlbias data pull` calls it.
        summary: what it is, in a line.
        licence: the licence of its texts.
        licence_url: where that can be read.
        citation: what to cite.
        task: the task's name, with ``{}`` for the folder.
        files: what is fetched.
        hub: what is fetched from the hub.
        languages: those that can be chosen among; empty where the set comes as a whole.
    """

    name: str
    summary: str
    licence: str
    licence_url: str
    citation: str
    task: str
    files: tuple[Download, ...] = ()
    hub: Hub | None = None
    languages: tuple[str, ...] = ()


_LAREQA = "https://raw.githubusercontent.com/google-research-datasets/lareqa/9bc8c7fb6dd8d01d72a05a93c2cb96882b0d299c"
_LAREQA_WITH_MLQA = (  # the next commits take MLQA-R away
    "https://raw.githubusercontent.com/google-research-datasets/lareqa/354d67d1cd066854cdfbf5ad0e6105528976141d"
)
_LASER = "https://raw.githubusercontent.com/facebookresearch/LASER/74bc6ae7ffb7cba670fe0f428d0ede9f666fb821"
_NTREX = "https://codeload.github.com/MicrosoftTranslator/NTREX/tar.gz/8561f6a622db9edad1217683e5c83daefd8bb2bf"
_SIB = "https://codeload.github.com/dadelani/sib-200/tar.gz/593cea88519930f776c1a4a1980b6a35b39dca57"
_MARCO = "https://huggingface.co/datasets/unicamp-dl/mmarco/resolve/main/data"
_TYDI = "https://git.uwaterloo.ca/jimmylin/mr.tydi/-/raw/master/data"
_BEIR = "https://public.ukp.informatik.tu-darmstadt.de/thakur/BEIR/datasets"

_XQUAD_R = {  # language: SHA-256, bytes
    "ar": ("c52922d3b8ac1ae03ed5ac38647ad59870dca3dda2beefe18ecdc30729acb69d", 2_234_875),
    "de": ("16fb0f4bf4916154b585a20c24c66074591c9718a1affe764ff4697572328949", 732_156),
    "el": ("163fd43ee785a30eb534ae2061e9eaa766a7ee4e8ffce5e4b422480c150f64b6", 2_810_127),
    "en": ("7b0954f39297c27a31fef610f0883337dd2907fa8699151dc922afdd0fa12ffe", 628_651),
    "es": ("f8e836b2d91009c4363e04315f7ede363eedbbb49c67dda60de6c4aa782f58de", 746_335),
    "hi": ("ea45ba8ae4513d1533b222bebdc02a90bc319c055d3aeea68584a053d2e92872", 2_408_404),
    "ru": ("7f4dff853538b9a5fcc28c070b8bb983a5c5d190ac747b8e005a1ada9cab18f1", 2_764_904),
    "th": ("c3a041864c3a9fb0b4dd91cfdf99cf36b411b3e704c58a303c97bc6dc786cfe4", 2_618_544),
    "tr": ("f3e8c13002bbce154a4578f535f7533cb70f3da08840e6b62735935baec7bd94", 827_827),
    "vi": ("e35926bf5cc6fc6ecbdfca49467aabeb454f08d152d7818143a906bd31dde995", 1_132_303),
    "zh": ("80c2cde7b9c2fb134c303cbb52f2ba396ead9eb0014aec43993543d2ba9e93ed", 959_291),
}
_MLQA_R = {
    "ar": ("2132fbc03208535c0fe01f2e2c5121d06f9c2aa799af93b0a719dbc105bdf137", 3_329_081),
    "de": ("ce9454dc5aa6f2d85c23cd6e49cb367fbb7c4c6e62d7f71e355c6b5dae4d0886", 887_185),
    "en": ("fedd9a5cc0848dda80caf84aa36f482adaae230526a3f6e9e86926a93ef3b1e4", 2_251_129),
    "es": ("70ecba276b8c96a692b120693a595d076ce94ad21d4b28311538a9fcbfe0f9d7", 819_818),
    "hi": ("4dd0fb3c06f737a5481d705bc1dcac7876712a5815c9265908fbb3a0696cb654", 3_179_023),
    "vi": ("9d3baff6ba03e6793b25594217265ea59a136b9733833dca8a9582a84a78ff85", 1_807_239),
    "zh": ("57f01d2fff50cf3392805635b01445339f225ad5bf28ba8443b12f8dbd1e69dc", 1_360_698),
}
_TATOEBA = {  # pair and language: SHA-256, bytes
    "ara-eng.ara": ("e67a0ae072b79cd9e8eb09f166c3bc0b23488d39f5720f2ee0a8350ae17b719f", 43_582),
    "ara-eng.eng": ("3c11838c963f598a52dcf2f452b666353538257001db5c59c3a5f54a999b336b", 29_068),
    "cmn-eng.cmn": ("965d033966fcd186c89741ad49ab4b0a0b2bbd33e02666635ff3b2be23c1ac1f", 33_410),
    "cmn-eng.eng": ("29ba36232488f5806aceccac57c59c5e750ddd08edb40eef417e3ada9ff9a239", 35_521),
    "deu-eng.deu": ("edfa6f75a42554df388f45891735d5e4214158a99def4b73b5908af4a3054551", 57_121),
    "deu-eng.eng": ("eb9cc83a42f2c4b22f310d05311207e41abb56c2a084666cac3ee0f84d2d0b84", 48_446),
    "ell-eng.ell": ("4fb3d3d30bdafd15100dfad5c4680f8f2ed5ca87ed0a6122e2fe2aa21fee65e8", 52_202),
    "ell-eng.eng": ("1f630710e718e2f85a4e757d3c7f3d6e78ded0b25c99653b4c552138318d9ffe", 26_759),
    "hin-eng.eng": ("adfce2269a55dbac69b25c0f4f6eb89e0f9383165485925a2e042e61b9480562", 34_090),
    "hin-eng.hin": ("15e4fb0a394be4438319f1d6955d1aea226e2a8c5ad38798b23b76ae43d742ed", 88_468),
    "rus-eng.eng": ("7b26f52d6085b7c4944d6f5f6f5b6e1932085b42112f1444db515ce59e878fb8", 33_650),
    "rus-eng.rus": ("446ff2cae66053c2277d9735b2c2df6b786cae258385f7ade7bed68d8835c6a0", 58_822),
    "spa-eng.eng": ("89e4470f4572040b1ca94b3edad97dcd8bd2f0141f072e12933b8659dadf917d", 34_776),
    "spa-eng.spa": ("f9628cea40481e8251f0999718bd893cff0f261752f5e526b3bc20284e2ca018", 37_490),
    "tha-eng.eng": ("2881c82d2c5fa59cf0a68bc9e012f5e0b0a716f7357cbecf77c247efc2fd7294", 18_439),
    "tha-eng.tha": ("65c7b3c01a56a1ac8971e72e0ea8e74a027718dc84044d8802c0ab36395a3156", 44_759),
    "tur-eng.eng": ("a768df7dd3d1344f872a458b32c3a65e24f8381826ccb16ba6677426176c8121", 34_278),
    "tur-eng.tur": ("1ffa0acc006018b3105abda41a4d4ca42f3c122964a49b71793546367b079a86", 37_607),
    "vie-eng.eng": ("a1f60bd8ae6c42224a4c050d2aa1ff4242d14827d64d7831e96ecf2b2c367f5f", 38_686),
    "vie-eng.vie": ("6dbb02d778b0bfc8678cd85f87db76de55dd7e409a26fe32ad42d50e0f1fff77", 52_721),
}
_MARCO_LANGUAGES = {  # language: name, MD5 and bytes of passages, MD5 and bytes of queries
    "ar": ("arabic", "b73406ce3a3d31edea240603d031be7a", 4664307196, "d93efe298008c35389afacb3d9fedb06", 6545729),
    "zh": ("chinese", "d176049b56f65bd49248003b9ea8b2b0", 2720255044, "30c76201ecddb05d9b125a5f0ef5a6bb", 4002662),
    "nl": ("dutch", "4a29599f160d0a696c7c3d3010da1912", 3362632528, "5bcc4ba604106fd6bb7e17030fcdc033", 4828536),
    "fr": ("french", "44fd86303b47d2c8c2f9f547cd67686f", 3656218984, "c2a393af030f845041b85b44ca60680a", 5408487),
    "de": ("german", "dfedd22fef7e7e44966994e06cd7ec57", 3488187566, "b420bdc83096caa07bd06667658d08c7", 4975836),
    "hi": ("hindi", "4551a71b468cc109b1f985f6b1c3afe0", 7649320531, "880ec0423ebc6345450d86c030d29f1b", 10389233),
    "id": (
        "indonesian",
        "d1ba5ff9788f9b11b497e3f75749409c",
        3297783371,
        "2f9d37e7baaf7a3834af2d84ddafa376",
        4660699,
    ),
    "it": ("italian", "9c3aa4c4342074e8d37d75c9ffe5f22e", 3444092853, "9172fc14d18b1181d7f6c3120a66a8f9", 5044211),
    "ja": (
        "japanese",
        "85614bd4dac3aa221c0b657d5cc71695",
        3924982422,
        "23c86ba93c63891a95382d8e8198199f",
        5823193,
    ),
    "pt": (
        "portuguese",
        "dde80fa2cc5782cae4c40d1127e51958",
        3431011785,
        "73fb7009307c6aecd661184bce75cb5d",
        4966328,
    ),
    "ru": ("russian", "9a0cef71748039a6112b0775592eb84d", 5769514997, "b1fe46eea62d4c5c3776c1bc7c38034e", 7853062),
    "es": ("spanish", "a9eac6b39239121795171da8c86db932", 3571559558, "b2f3c62c6d71700b9af610e7a29fef61", 5241697),
    "vi": (
        "vietnamese",
        "dd68020237857a508e7abe2250dad28b",
        4140054533,
        "99df771fa60888632dca02431998cec5",
        5775517,
    ),
}
_TYDI_LANGUAGES = {
    "ar": "arabic", "bn": "bengali", "en": "english", "fi": "finnish", "id": "indonesian", "ja": "japanese",
    "ko": "korean", "ru": "russian", "sw": "swahili", "te": "telugu", "th": "thai",
}  # fmt: skip
_BEIR_SETS = {  # name: MD5, bytes
    "trec-covid": ("ce62140cb23feb9becf6270d0d1fe6d1", 73_876_720),
    "nfcorpus": ("a89dba18a62ef92f7d323ec890a0d38d", 2_448_432),
    "nq": ("d4d3d2e48787a744b6f6e691ff534307", 498_307_926),
    "hotpotqa": ("f412724f78b0d91183a0e86805e16114", 654_025_350),
    "fiqa": ("17918ed23cd04fb15047f73e6c3bd9d9", 17_948_027),
    "arguana": ("8ad3e3c2a5867cdced806d6503f29b99", 3_773_617),
    "quora": ("18fb154900ba42a600f84b839c173167", 15_853_968),
    "dbpedia-entity": ("c2a39eb420a3164af735795df012ac2c", 639_285_131),
    "scidocs": ("38121350fc3a4d2f48850f6aff52e4a9", 142_471_588),
    "fever": ("5a818580227bfb4b35bb6fa46d9b6c03", 1_236_988_269),
    "climate-fever": ("8b66f0a9126c521bae2bde127b4dc99d", 1_228_666_652),
    "scifact": ("5f7d1de60b170fc8027bb7898e2efca1", 2_816_079),
}
_MIRACL = ("ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh")
_CC_BY_SA_4 = ("CC BY-SA 4.0", "https://creativecommons.org/licenses/by-sa/4.0/")
_CC_BY_SA_3 = ("CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/")
_APACHE_2 = ("Apache-2.0", "https://www.apache.org/licenses/LICENSE-2.0")


def _mmarco_files() -> tuple[Download, ...]:
    found = [
        Download(f"{_MARCO}/qrels.dev.tsv", "qrels.dev.tsv", "md5:9157ccaeaa8227f91722ba5770787b16", 1_201_626),
    ]
    for language, (name, passages, n_passages, queries, n_queries) in _MARCO_LANGUAGES.items():
        collection, asked = f"collections/{name}_collection.tsv", f"queries/dev/{name}_queries.dev.tsv"
        found += [
            Download(f"{_MARCO}/google/{collection}", collection, f"md5:{passages}", n_passages, language),
            Download(f"{_MARCO}/google/{asked}", asked, f"md5:{queries}", n_queries, language),
        ]
    return tuple(found)


SETS = (
    PublicSet(
        "xquad-r",
        "LAReQA's XQuAD-R: question → sentence of Wikipedia, fully parallel, 11 languages",
        *_CC_BY_SA_4,
        "Roy et al. 2020, LAReQA (arXiv 2004.05484)",
        "lareqa:{}",
        tuple(
            Download(f"{_LAREQA}/xquad-r/{language}.json", f"{language}.json", f"sha256:{digest}", size)
            for language, (digest, size) in _XQUAD_R.items()
        ),
    ),
    PublicSet(
        "mlqa-r",
        "LAReQA's MLQA-R: question → sentence of Wikipedia, partly parallel, 7 languages, as first published",
        "CC BY-NC 4.0, as its makers stated; MLQA itself: CC BY-SA 3.0",
        "https://creativecommons.org/licenses/by-nc/4.0/",
        "Roy et al. 2020, LAReQA (arXiv 2004.05484); Lewis et al. 2020, MLQA (arXiv 1910.07475)",
        "lareqa:{}",
        tuple(
            Download(f"{_LAREQA_WITH_MLQA}/mlqa-r/{language}.json", f"{language}.json", f"sha256:{digest}", size)
            for language, (digest, size) in _MLQA_R.items()
        ),
    ),
    PublicSet(
        "mlqa",
        "MLQA's test part: question → paragraph of Wikipedia, partly parallel, 7 languages",
        *_CC_BY_SA_3,
        "Lewis et al. 2020, MLQA (arXiv 1910.07475)",
        "squad:{}",
        (
            Download(
                "https://dl.fbaipublicfiles.com/MLQA/MLQA_V1.zip",
                "MLQA_V1.zip",
                members={r"MLQA_V1/test/test-context-([a-z]{2})-question-\1\.json": r"\1.json"},
            ),
        ),
    ),
    PublicSet(
        "mkqa",
        "MKQA as mteb has it: web search question → answer, 26 languages",
        "CC BY 3.0, as mteb states it (its README: CC BY-SA 3.0)",
        "https://github.com/apple/ml-mkqa",
        "Longpre et al. 2021, MKQA (arXiv 2007.15207)",
        "hf:{}",
        hub=Hub("mteb/MKQARetrieval", "3e069e7a30079d214a859741f5a0de75cf878867"),
    ),
    PublicSet(
        "ntrex-128",
        "NTREX-128: news sentences, fully parallel by line, 128 languages",
        *_CC_BY_SA_4,
        "Federmann et al. 2022, NTREX-128",
        "bitext:{}",
        (
            Download(
                _NTREX,
                "NTREX.tar.gz",
                members={
                    r"NTREX-[0-9a-f]{40}/NTREX-128/([\w.-]+\.txt)": r"\1",
                    r"NTREX-[0-9a-f]{40}/(DOCUMENT_IDS\.tsv)": r"\1",
                },
            ),
        ),
    ),
    PublicSet(
        "sib-200",
        "SIB-200: FLORES sentences with topics, fully parallel, 205 languages; to evaluate, not to train",
        *_CC_BY_SA_4,
        "Adelani et al. 2024, SIB-200 (arXiv 2309.07445)",
        "sib200:{}",
        (
            Download(
                _SIB,
                "sib-200.tar.gz",
                members={r"sib-200-[0-9a-f]{40}/data/annotated/([a-z]{3}_[A-Z][a-z]{3}/\w+\.tsv)": r"\1"},
            ),
        ),
    ),
    PublicSet(
        "tatoeba",
        "Tatoeba as LASER has it: sentence ↔ English, 10 of its languages",
        "CC BY 2.0 FR",
        "https://creativecommons.org/licenses/by/2.0/fr/",
        "Artetxe and Schwenk 2019 (arXiv 1812.10464)",
        "bitext:{}",
        tuple(
            Download(f"{_LASER}/data/tatoeba/v1/tatoeba.{name}", f"tatoeba.{name}", f"sha256:{digest}", size)
            for name, (digest, size) in _TATOEBA.items()
        ),
    ),
    PublicSet(
        "miracl",
        "MIRACL as mteb has it: question → judged passages of Wikipedia, 18 languages, not parallel",
        *_CC_BY_SA_4,
        "Zhang et al. 2023, MIRACL (TACL 11)",
        "hf:{}[part=dev]",
        hub=Hub("mteb/MIRACLRetrieval", "9c09abc13478308c27598f350e31d8f06b9b5481", "dev"),
        languages=_MIRACL,
    ),
    PublicSet(
        "mrtydi",
        "Mr. TyDi 1.1: question → judged passages of Wikipedia, 11 languages, not parallel",
        *_APACHE_2,
        "Zhang et al. 2021, Mr. TyDi (arXiv 2108.08787)",
        "mrtydi:{}[part=test]",
        tuple(
            Download(
                f"{_TYDI}/mrtydi-v1.1-{name}.tar.gz",
                f"mrtydi-v1.1-{name}.tar.gz",
                language=language,
                members={rf"(?:\./)?(mrtydi-v1\.1-{name}/[\w./-]+)": r"\1"},
            )
            for language, name in _TYDI_LANGUAGES.items()
        ),
        languages=tuple(_TYDI_LANGUAGES),
    ),
    PublicSet(
        "mmarco",
        "mMARCO: MS MARCO's queries and passages, translated by Google, parallel by id, 13 languages",
        "MS MARCO's terms: non-commercial research only",
        "https://microsoft.github.io/msmarco/",
        "Bonifacio et al. 2021, mMARCO (arXiv 2108.13897)",
        "mmarco:{}[part=dev]",
        _mmarco_files(),
        languages=tuple(_MARCO_LANGUAGES),
    ),
    *(
        PublicSet(
            f"beir-{name}",
            f"BEIR's {name}, in English",
            "that of its authors",
            "https://github.com/beir-cellar/beir/wiki/Datasets-available",
            "Thakur et al. 2021, BEIR (arXiv 2104.08663), and the authors of the set",
            "beir:{}[language=en]",
            (
                Download(
                    f"{_BEIR}/{name}.zip",
                    f"{name}.zip",
                    f"md5:{digest}",
                    size,
                    members={rf"{name}/(corpus\.jsonl|queries\.jsonl|qrels/\w+\.tsv)": r"\1"},
                ),
            ),
        )
        for name, (digest, size) in _BEIR_SETS.items()
    ),
)
"""All public sets, in the order of `xlbias data list`."""
