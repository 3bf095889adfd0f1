"""The blocks of docs/python.md run, in their order, and print what they say."""

import re
import warnings
from pathlib import Path

import pytest
from dataset_factory import write_dataset
from media_factory import write_media

PAGE = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.mark.slow
def test_the_blocks_run_without_a_warning(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    write_dataset("DATASET", recordings={"train": 8, "validation": 4, "test": 4})
    write_media("clip.mp4", seconds=2.1)
    for name in ("drum/a", "drum/b", "drum/c", "flute/a", "flute/b", "flute/c"):
        file = tmp_path / "VIDEOS" / f"{name}.mp4"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(Path("clip.mp4").read_bytes())
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 6
    capfd.readouterr()
    names = {"__name__": "page"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for number, block in enumerate(blocks):
            exec(compile(block, f"{PAGE.name}, block {number + 1}", "exec"), names)
    output, error = capfd.readouterr()
    lines = output.splitlines()
    assert lines[0].startswith("{'train': ")
    assert lines[1].startswith("('cello', 'drum', 'flute') {'train': 16, ")
    assert lines[2:5] == ["(16, 96, 96)", "(16, 64, 64, 3)", "(16, 3)"]
    assert lines[5] == "test/000 ('cello',) (2, 96, 96)"
    assert "'low'" in lines[6]
    assert lines[7].startswith("Too few recordings (4) to tell which modality leads")
    assert re.fullmatch(r"test/000 (cello|drum|flute) [01]\.\d\d", lines[8])
    assert lines[11] == "(4, 1024) (4, 2048)"
    assert re.fullmatch(r"(cello|drum|flute) \{'audio': \(2, 96, 96\), 'visual': \(2, 64, 64\)\}", lines[-2])
    assert lines[-1].endswith(") (2, 3)")
    # Progress and what is told; nothing of TensorFlow's.
    assert not re.search(
        r"warning|retracing|GeneratorDataset|^[WEI]\d{4} ", error, re.IGNORECASE | re.MULTILINE
    ), error
