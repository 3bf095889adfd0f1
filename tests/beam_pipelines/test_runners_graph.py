"""The shape of the graph that every runner gets: one chain, and neither rows nor media in the shuffle."""

import apache_beam as beam
import pytest
from prepare_jobs import SPEC

from avinst.manifests.rows import ManifestRow
from avinst.media.segments import DecodeLimits
from beam_pipelines.layout import Shard, label_names, lay_out
from beam_pipelines.plan import read_shard, write_plan
from beam_pipelines.preparation_pipeline import PreparationWork, add_prepare
from beam_pipelines.runner import make_pipeline

ROWS = [ManifestRow(f"{n}.mp4", ("x",), f"v{n}", group=f"v{n}") for n in range(10)]
SHARDS = lay_out(ROWS, ["train"] * len(ROWS), SPEC, label_names(ROWS), 3)


class Steps(beam.pipeline.PipelineVisitor):
    """Notes the steps of `add_prepare` and all that they are made of."""

    def __init__(self):
        self.ours, self.all = [], []

    def enter_composite_transform(self, node):
        self._note(node)

    def visit_transform(self, node):
        self._note(node)

    def _note(self, node):
        self.all.append(node)
        if node.parent is not None and node.parent.parent is None:
            self.ours.append(node)


@pytest.fixture
def plan(tmp_path):
    return write_plan(str(tmp_path), SHARDS)


@pytest.fixture
def steps(tmp_path, plan):
    pipeline = make_pipeline([], workers=1)
    work = PreparationWork(SPEC, ("x",), str(tmp_path), str(tmp_path / "set"), DecodeLimits())
    add_prepare(pipeline, plan, work)
    steps = Steps()
    pipeline.visit(steps)
    return steps


def test_the_chain_is_linear(steps):
    assert [node.full_label for node in steps.ours] == [
        "Shards",
        "Group by shard",
        "Read rows",
        "Leave out done",
        "Write shard",
    ]
    for before, after in zip(steps.ours, steps.ours[1:], strict=False):
        assert list(after.inputs) == list(before.outputs.values())


def test_no_side_input_and_no_second_output_anywhere(steps):
    readers = {}
    for node in steps.all:
        assert not node.side_inputs, node.full_label
        assert len(node.outputs) <= 1, node.full_label
        if not node.parts:  # what computes, not what groups others
            for collection in node.inputs:
                readers.setdefault(collection, []).append(node.full_label)
    assert all(len(labels) == 1 for labels in readers.values()), readers


def test_nothing_but_names_and_places_enters_the_shuffle(steps, plan):
    (grouping,) = [node for node in steps.ours if isinstance(node.transform, beam.GroupByKey)]
    (source,) = [node for node in steps.ours if list(node.outputs.values()) == list(grouping.inputs)]
    assert isinstance(source.transform, beam.Create)
    elements = list(source.transform.values)
    assert [name for name, _ in elements] == [shard.name for shard in SHARDS]
    assert all(type(number) is int for _, span in elements for number in span)
    assert [read_shard(plan.file, (name, [span])) for name, span in elements] == SHARDS


def test_what_leaves_the_last_step_is_names(steps, monkeypatch, tmp_path):
    """No example and no media byte comes back to the launching process either."""
    from beam_pipelines import example_writer
    from beam_pipelines.preparation_pipeline import WriteExamples

    written = []
    monkeypatch.setattr(example_writer, "write_examples", lambda shard, **others: written.append(shard))
    step = WriteExamples(PreparationWork(SPEC, ("x",), str(tmp_path), str(tmp_path), DecodeLimits()))
    step.setup()
    assert [list(step.process(shard)) for shard in SHARDS] == [[shard.name] for shard in SHARDS]
    step.teardown()
    assert written == SHARDS
    assert all(isinstance(shard, Shard) for shard in written)
