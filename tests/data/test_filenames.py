"""Languages from file names agree from corpus to corpus."""

from pathlib import Path

import pytest

from xlbias.data.formats.filenames import by_language, code_at_end, language_of, shortest_tags, tags_of
from xlbias.errors import TaskError
from xlbias.languages import normal_tags

SIB_200 = """
    ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn als_Latn amh_Ethi apc_Arab arb_Arab
    arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn
    ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl cat_Latn
    ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek
    eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn
    gaz_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn
    hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn
    kan_Knda kas_Arab kas_Deva kat_Geor kaz_Cyrl kbp_Latn kea_Latn khk_Cyrl khm_Khmr kik_Latn kin_Latn kir_Cyrl
    kmb_Latn kmr_Latn knc_Arab knc_Latn kon_Latn kor_Hang lao_Laoo lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn
    ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn lvs_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Arab
    min_Latn mkd_Cyrl mlt_Latn mni_Beng mos_Latn mri_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nqo_Nkoo
    nso_Latn nus_Latn nya_Latn oci_Latn ory_Orya pag_Latn pan_Guru pap_Latn pbt_Arab pes_Arab plt_Latn pol_Latn
    por_Latn prs_Arab quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Olck scn_Latn shn_Mymr sin_Sinh
    slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn
    swe_Latn swh_Latn szl_Latn tam_Taml taq_Latn taq_Tfng tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi
    tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab
    uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zsm_Latn
    zul_Latn
""".split()
"""The folders of SIB-200 as published, at github.com/dadelani/sib-200."""


@pytest.mark.parametrize(
    ("part", "tag"),
    [
        ("deu", "de"),
        ("arb", "ar"),
        ("cmn", "zh"),
        ("zho-CN", "zh-CN"),
        ("zho_Hans", "zh-Hans"),
        ("pt-br", "pt-BR"),
        ("gsw-ZH", "gsw"),  # as NTREX writes Zurich German; ZH is no registered region
        ("laser-code", None),
        ("de-en", None),
        ("md", None),
        ("txt", None),  # a registered language, but in a file name an ending
        ("tsv", None),
        ("", None),
    ],
)
def test_the_language_of_a_part_of_a_file_name(part, tag):
    assert language_of(part) == tag


@pytest.mark.parametrize(
    "part",
    ["src", "tgt", "trg", "ref", "hyp", "dev", "val", "trn", "tst", "train", "test", "old", "org", "orig", "tmp"],
)
def test_sides_parts_and_backups_are_no_languages(part):
    """Many are the code of some small language: dev is Domung, src Logudorese Sardinian."""
    assert language_of(part) is None
    assert code_at_end(f"corpus.{part}") is None


def test_a_code_that_is_also_a_backup_is_a_language_but_after_one():
    assert code_at_end("newstest2019-ref.bak") == "bak"  # Bashkir, in NTREX
    assert code_at_end("corpus.en.bak") is None
    assert code_at_end("bak") == "bak"


def test_what_the_names_keep_apart_stays_apart():
    assert tags_of(["twi_Latn", "aka_Latn"]) == {"twi_Latn": "tw", "aka_Latn": "ak"}
    assert tags_of(["arb_Arab", "deu_Latn"]) == {"arb_Arab": "ar", "deu_Latn": "de"}
    assert tags_of(["arb", "ar"]) == {"arb": "arb", "ar": "ar"}
    assert tags_of(["deu", "de"]) == {"deu": "de", "de": "de"}
    with pytest.raises(TaskError, match=r"b.de: a second file in language 'de', beside a.deu"):
        by_language({Path("a.deu"): "deu", Path("b.de"): "de"})


def test_script_and_region_stay_only_where_they_tell_files_apart():
    assert shortest_tags(["zh-CN", "de"]) == {"zh-CN": "zh", "de": "de"}
    assert shortest_tags(["zh-CN", "zh-TW", "sr-Latn"]) == {"zh-CN": "zh-CN", "zh-TW": "zh-TW", "sr-Latn": "sr"}
    assert shortest_tags(["en", "en-GB"]) == {"en": "en", "en-GB": "en-GB"}
    assert shortest_tags(["zh-Hans-CN"]) == {"zh-Hans-CN": "zh"}
    assert shortest_tags(["de-1996", "en-x-pirate"]) == {"de-1996": "de-1996", "en-x-pirate": "en-x-pirate"}


def test_all_205_languages_of_sib200_stay_apart():
    tags = tags_of(SIB_200)
    assert len(SIB_200) == len(set(tags.values())) == 205
    assert [tags[code] for code in ("twi_Latn", "aka_Latn", "arb_Arab", "arb_Latn")] == [
        "tw",
        "ak",
        "ar",
        "ar-Latn",
    ]
    assert set(normal_tags(tags.values()).values()) == set(tags.values())


def test_all_128_languages_of_ntrex_stay_apart(shared_data):
    lines = (shared_data / "ntrex128" / "LANGUAGES.tsv").read_text(encoding="utf-8").splitlines()
    codes = [line.split()[0] for line in lines if line.strip()]
    tags = [language_of(code) for code in codes]
    assert len(codes) == 129
    assert None not in tags
    assert len(set(shortest_tags(tags).values())) == 129
