"""A disk that is full while an encoder is saved is said with the path, also by libraries that only word it."""

import pytest
import safetensors.numpy

from xlbias.encode.trained_on import TrainedOn
from xlbias.errors import WriteError
from xlbias.train.trainer.saved_encoder import save_encoder

pytestmark = pytest.mark.integration


class _Model:
    def __init__(self, error):
        self.error = error

    def __getitem__(self, place):
        return object()  # a module without LoRA

    def save_pretrained(self, folder, **_):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("[enforce fail] write failed: No space left on device (os error 28)"),
        safetensors.SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_names_the_folder_and_leaves_the_older_encoder(tmp_path, error):
    (tmp_path / "xlbias.json").write_text('{"files": ["config.json"]}')
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WriteError, match=f"{tmp_path.name}: cannot be written: No space left on device"):
        save_encoder(_Model(error), {"name": "x"}, tmp_path, TrainedOn())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "xlbias.json"]
