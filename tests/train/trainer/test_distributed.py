"""What a training says where another process of it is gone."""

import pytest
import torch.distributed as dist

from xlbias.errors import LostError
from xlbias.train.trainer.distributed import lost_where_one_is_gone

GLOO = "[/third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:22762. Check the logs"


@pytest.mark.parametrize("error", [RuntimeError(GLOO), dist.DistBackendError("NCCL error: remote process exited")])
def test_an_exchange_that_fails_is_said_in_our_words(error, monkeypatch):
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    with (
        pytest.raises(LostError, match=r"^another process has ended: so have the others; what is finished is"),
        lost_where_one_is_gone(),
    ):
        raise error


@pytest.mark.parametrize(("text", "several"), [(GLOO, False), ("a tensor has another shape", True)])
def test_all_else_is_raised_as_it_is(text, several, monkeypatch):
    monkeypatch.setattr(dist, "is_initialized", lambda: several)
    with pytest.raises(RuntimeError, match=text[-9:]), lost_where_one_is_gone():
        raise RuntimeError(text)
