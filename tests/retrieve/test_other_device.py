"""The code of devices other than the CPU, on one that computes there and refuses to mix: what needs no GPU."""

import numpy as np
import pytest
import torch
from other_device import DEVICE, other_device

from xlbias.retrieve import index as index_module
from xlbias.retrieve import ranks as ranks_module
from xlbias.retrieve import topk as topk_module
from xlbias.retrieve.index import PassageIndex
from xlbias.retrieve.ranks import Asked, rank

pytestmark = pytest.mark.integration


@pytest.fixture(params=["one tile", "many tiles"])
def small_tiles(request, monkeypatch):
    if request.param == "many tiles":
        for module in (index_module, ranks_module, topk_module):
            monkeypatch.setattr(module, "PASSAGE_TILE", 24)
        for module in (index_module, ranks_module):
            monkeypatch.setattr(module, "QUERY_TILE", 8)


def case(integers):
    rng = np.random.default_rng(3)
    n_passages, n_queries, n_pairs = 300, 21, 80
    draw = (lambda n: rng.integers(-2, 3, (n, 6))) if integers else (lambda n: rng.standard_normal((n, 6)))
    passages, queries = draw(n_passages).astype(np.float32), draw(n_queries).astype(np.float32)
    languages = [("th", "de", "en")[i] for i in rng.integers(0, 3, n_passages)]
    ids = [f"p{i}" for i in rng.permutation(n_passages)]
    return (passages, ids, languages), (
        queries, np.sort(rng.integers(0, n_queries, n_pairs)), rng.integers(0, n_passages, n_pairs),
    )  # fmt: skip


@pytest.mark.parametrize("integers", [True, False], ids=["most scores tie", "none tie"])
def test_ranks_ties_and_the_top_k_are_those_of_the_cpu(small_tiles, integers):
    passages, asked = case(integers)
    expected, expected_top = rank(PassageIndex(*passages), Asked(*asked, k=10))
    with other_device() as ran:
        found, top = rank(PassageIndex(*passages, device=DEVICE), Asked(*asked, k=10))
    for name in ("score", "in_pool", "in_union", "tied_in_pool", "tied_in_union"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    for one, other in zip(top, expected_top, strict=True):
        assert np.array_equal(one.rows, other.rows) and np.array_equal(one.scores, other.scores)
    assert {"aten.mm.out", "aten.eq.Tensor", "aten.lt.Tensor", "aten.gt.Tensor", "aten.index.Tensor"} <= set(ran)
    assert integers == bool(expected.tied_in_union.any())


def test_the_device_refuses_tensors_of_the_cpu_and_gives_nothing_up_but_when_asked():
    with other_device():
        there, here = torch.ones(2, 3).to(DEVICE), torch.ones(3, 2)
        assert there.device.type == DEVICE
        assert (there @ here.to(DEVICE)).cpu().tolist() == [[3.0, 3.0], [3.0, 3.0]]
        with pytest.raises(RuntimeError, match="and of the CPU"):
            there @ here
        with pytest.raises((RuntimeError, TypeError, NotImplementedError)):
            there.numpy()
