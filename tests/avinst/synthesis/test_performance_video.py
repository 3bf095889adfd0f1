import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
import numpy as np
from avinst.synthesis.performances import Settings, scene_of
from avinst.synthesis.video import write_mp4

settings = Settings(instruments=8, videos_per_instrument=1, seconds=2.0, size=144, seed=0)
scene = scene_of(settings, "harp", 0)
frames = [scene.frame(time) for time in settings.frame_times()]
write_mp4(sys.argv[1], frames, 10, np.zeros(22050 * 2, np.float32), 22050)
"""


def test_the_bytes_do_not_depend_on_what_the_memory_held(tmp_path):
    """An encoder that reads memory which nobody has written to gives other bytes now and then."""
    written = []
    for held in ("0", "1", "85", "200"):
        file = tmp_path / f"{held}.mp4"
        # glibc fills what it hands out with a byte made of this number.
        known = {"MALLOC_PERTURB_": held, "PYTHONPATH": str(Path(__file__).parents[3])}
        subprocess.run([sys.executable, "-c", PROGRAM, str(file)], env=os.environ | known, check=True)
        written.append(file.read_bytes())
    assert len(set(written)) == 1
