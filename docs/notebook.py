"""The cells of docs/notebook.ipynb in the percent format, which editors know too; `make notebook` runs them."""

# %% [markdown]
# # From videos to explanations, in a notebook
#
# This notebook does in Python what the commands of avinst do. It makes a dataset from videos, trains a detector
# on sound and picture, measures it, and asks why it decides as it does. On two cores it takes two to three
# minutes.
#
# The videos are synthetic: drawn instruments that move, and their sound with an accompaniment and noise. For your
# own videos, leave out the call that makes them and give your folder. [From Python](python.md) says more of each
# step, [the reference](api.md) has every function.

# %%
# %matplotlib inline
from IPython.display import Image, Markdown, display
from matplotlib import pyplot

import analysis
import avinst
import beam_pipelines
import trainer

avinst.show_progress(False)  # leave it out to see how long the steps take

# %% [markdown]
# ## Videos and their labels
#
# Eighty videos of two seconds for each of four instruments. The label of a video is the name of its folder.

# %%
avinst.render_performances("videos", instruments=4, videos_per_instrument=80)
rows = avinst.make_manifest("videos", "manifest.csv")
print(len(rows), "videos; the first:", rows[0].video_path, rows[0].labels)

# %% [markdown]
# ## A dataset
#
# Each second of a video becomes a segment: a log-mel spectrogram, and the frame in its middle. All segments of a
# recording are in the same split. The test split gets many recordings here, because all that follows is measured
# on it.

# %%
dataset = beam_pipelines.prepare_videos(
    "manifest.csv",
    "dataset",
    media_root="videos",
    frame_size=96,
    splits="stratified",
    shares=(0.5, 0.1, 0.4),  # of train, validation and test
)
print("recordings", dict(dataset.recordings))
print("segments  ", dict(dataset.segments))

# %% [markdown]
# Look at the data before you train: a segment of each instrument, with its spectrogram.

# %%
avinst.draw_contact_sheet(dataset, avinst.choose_examples(dataset, 4), "sheet.png")
Image("sheet.png")

# %% [markdown]
# A recording comes as NumPy arrays, which you can plot as you like.

# %%
recording = avinst.load_recording(dataset, avinst.recording_ids(dataset, "test")[0])
print(recording.labels, recording.frame.shape, recording.log_mel.shape)
figure, (left, right) = pyplot.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
left.imshow(recording.frame[0])
right.imshow(recording.log_mel[0].T, origin="lower", aspect="auto", cmap="magma")
right.set(xlabel="window", ylabel="mel band", title="log-mel, dB")
pyplot.show()

# %% [markdown]
# ## Training
#
# The scheme `joint` trains both networks and the layer that fuses them at once. These are small networks, which
# learn from few videos in a minute. The defaults are those of the paper, Inception V3 and an Xception-like
# network.

# %%
run = trainer.fit(
    dataset,
    "run",
    scheme="joint",
    audio_backbone="small_cnn",
    visual_backbone="small_cnn",
    epochs=16,
)

# %% [markdown]
# ## How good is it?
#
# Scores on the test split, with 95 % intervals over its recordings. Where is chance? The four instruments are
# equally frequent, so guessing would have a `hit_at_1` of 1/4, and a `hit_at_3` of 3/4: that one says little
# here.

# %%
found = trainer.evaluate_run(run)
Markdown(trainer.scores_markdown(found.metrics))

# %% [markdown]
# Which instrument is recognised worst, and what is it taken for? Some instrument is always the last one, by chance
# alone, so it is also said how sure that is.

# %%
Markdown(trainer.per_label_markdown(found.metrics))

# %%
trainer.confusion_figure(found.metrics["recording"])

# %% [markdown]
# ## Which modality does the work?
#
# The audit measures what sound and picture reach alone, and what happens when one of them is blanked or comes
# from another recording. It says so where the recordings are too few to tell.
#
# A `joint` run has no network that was trained on one modality alone, so a linear classifier on the features of
# each modality stands for it. To compare with networks that were, train one more run with `scheme="independent"`
# and give it to `trainer.evaluate_run(run, stages_from="run_independent")`.

# %%
sentences = trainer.audit_verdict(found.audit)
Markdown("\n".join(f"- {sentence}" for sentence in sentences))

# %% [markdown]
# ## Which features matter?
#
# A feature is important for an instrument if it adds much to the instrument's logit, in the mean over the
# recordings predicted as it. First the sums over all features of a modality, with the number of recordings in
# parentheses.

# %%
features = analysis.extract_features(run.model, dataset, "test").by_recording()
importance = analysis.feature_importance(features, run.model)
analysis.share_figure(importance)

# %% [markdown]
# Then the features of the instrument that was predicted most often. The curve at the top tells how much to make
# of the names below it: where it falls slowly, many features contribute about the same, and the first ones are
# not special.

# %%
label = max(importance.count, key=importance.count.get)
analysis.importance_figure(importance, label, {"audio": 6, "visual": 6})

# %% [markdown]
# ## Do the features of sound and picture move together?
#
# Spearman's rank correlation of an instrument's most important features, over its recordings of the test split.
# Each half of them chooses the features that are then correlated over the other half.
#
# Over so few recordings, unrelated features correlate too. So chance is measured: the grey band is what pictures
# give that were shuffled among the recordings. A green interval that lies on the band says that nothing was
# found. It does not say that there is nothing: more recordings would make the band narrower.

# %%
correlated = analysis.correlate_features(features, run.model, permutations=1000)
analysis.overview_figure(correlated.labels)

# %% [markdown]
# The matrix of the last of them: audio features first, then visual ones. Dots would mark the single pairs across
# the two modalities that are beyond chance.

# %%
*_, last = correlated.labels.values()
analysis.matrix_figure(last)

# %%
sentences = analysis.correlation_sentences(correlated)
Markdown("\n".join(f"- {sentence}" for sentence in sentences))

# %% [markdown]
# ## Where does the evidence lie?
#
# Grad-CAM shows which places of the frame and of the spectrogram speak for an instrument. Here are those of the
# test recording that the detector is surest of.

# %%
judged = found.predictions.by_recording()
surest = judged.video_ids[judged.probabilities.max(axis=1).argmax()]
recording = avinst.load_recording(dataset, surest)
cam = analysis.grad_cam(run, recording)
display(*analysis.grad_cam_figures(cam, recording, dataset.spec))

# %% [markdown]
# One map proves nothing, and a map may look right and be wrong. `analysis.analyze_run(run)` checks the maps of
# many recordings against random ones and writes all of the above to a [report](report.md). [Maps](maps.md) says
# how.

# %% [markdown]
# ## A new video
#
# The exported detector takes any video file: here a longer performance that is in no split. It is drawn and
# played like those of the training, so it is an easy one. [Results](results.md) tells what was reached on real
# videos.

# %%
video, *_ = avinst.render_performances(
    "new",
    instruments=2,
    videos_per_instrument=1,
    seconds=8.0,
    seed=1,  # by default 0, as above
)
detector = beam_pipelines.load_detector(trainer.export_run(run))
thumbnails = beam_pipelines.Thumbnails()
prediction = beam_pipelines.predict_video(detector, f"new/{video}", thumbnails=thumbnails)
beam_pipelines.probabilities_figure(prediction, thumbnails)
