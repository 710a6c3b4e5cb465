"""The language of `xlbias check --require`: a requirement on the numbers of a run that is true or says what is not.

``requirement.py`` is what callers use. A requirement goes through ``source`` (one safe line), ``tokens``, ``parser``
(a ``tree``), ``evaluate`` (numbers, from ``lookup``) and ``explain`` (sentences with the numbers). Nothing is ever
given to Python to evaluate: what this grammar does not name does not exist::

    requirement  one that is true or false: every one must be definitely true, undefined values never pass
    or and not   A or B, A and B, not A, (A)
    compare      < <= > >= == !=, also chained: 0.2 <= map.multilingual <= 1
    arithmetic   + - * / and -x; a minus between two letters needs spaces: a - b
    number       0.05, 1e-3, 5%
    function     min max mean count (of all values of all arguments), abs (of each value)
    field        NAME[.SETTING][.low|.high|.n|.n_excluded][LANGUAGES], such as recall@10.cross_lingual.low
    SETTING      monolingual, cross_lingual (or cross-lingual), multilingual; of single_gold, exposure and
                 language_rank: own_language, other_language (or with hyphens)
    LANGUAGES    [th] one language; [th,de] query and passage language; [th,multilingual] the union of all passages
    *            any language, not the union: map[*,de] >= 0.1 must hold for each; two sides match language by language
    baseline.    the same field of the run given by --baseline: map.multilingual >= baseline.map.multilingual - 0.01
"""
