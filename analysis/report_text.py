"""The parts of the report that are the same in every report: its style sheet and its methods."""

STYLE = """
:root { color-scheme: light dark; --page: #ffffff; --text: #1f2937; --muted: #6b7280; --line: #e5e7eb;
  --card: #f9fafb; --link: #1d4ed8; }
@media (prefers-color-scheme: dark) { :root { --page: #111827; --text: #e5e7eb; --muted: #9ca3af; --line: #374151;
  --card: #1f2937; --link: #93c5fd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
header p, small, .muted { color: var(--muted); }
/* Lines of text stay short enough to be read; tables and pictures may be wider. */
p, dl, pre { max-width: 760px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 0 0 .6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
section { border-top: 1px solid var(--line); padding: 1.4rem 0; }
summary h2 { display: inline; }
summary { cursor: pointer; margin-bottom: .6rem; }
a { color: var(--link); }
ul.findings { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 0 0 1rem;
  padding: .8rem 1rem .8rem 2rem; }
ul.findings li { margin: .3rem 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th { font-weight: 600; white-space: nowrap; }
td small { white-space: nowrap; }
pre, code { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem;
  white-space: pre-wrap; }
img { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 8px; }
.figures { display: flex; flex-wrap: wrap; gap: .8rem; align-items: flex-start; }
.figures .overview { width: 760px; }
.figures .matrix { flex: 0 1 750px; min-width: min(100%, 600px); }
.figures .importance { flex: 1 1 370px; min-width: 0; max-width: min(100%, 484px); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); gap: .8rem; }
@media (max-width: 600px) { th, td { padding-right: .6rem; white-space: normal; } td small { display: block; } }
@media print { section { break-inside: avoid-page; } }
"""

METHODS = """
<p>The study follows O. Slizovskaia, E. Gómez and G. Haro, “Correspondence between audio and visual deep
models for musical instrument detection in video recordings”, and adds what chance gives.</p>
<dl>
<dt><b>Features</b></dt><dd>The penultimate layers' activations, audio (a) and visual (v), of each segment of
one second, averaged over the segments of a recording. A recording's probabilities are the mean over its
segments; it is predicted as its most probable label (where recordings bear several labels: as every label
with a probability of 0.5 or more, which may be none).</dd>
<dt><b>Importance</b></dt><dd>L<sub>i</sub><sup>c</sup> = mean over the recordings predicted as c of
max(a<sub>i</sub><sup>c</sup> x<sub>i</sub>, 0), where a<sub>i</sub><sup>c</sup> = ∂ logit<sub>c</sub> / ∂
x<sub>i</sub>, by automatic differentiation. With one dense layer on the features it is that layer's weight.
The importance figures are over the analyzed split.</dd>
<dt><b>Correlation</b></dt><dd>Spearman's rho with average ranks for ties, over the recordings whose true
labels include the label, of its most important audio and visual features. Features are chosen on other
recordings than they are correlated on: chosen and correlated on the same ones, they would look related too
often. Features that are the same in all recordings have no correlation and are grey.</dd>
<dt><b>Chance</b></dt><dd>The recordings of a label are shuffled between the modalities; what is related
within a modality stays so. A pair's p-value is (1 + permutations with |rho| at least as large) / (1 +
permutations) (Phipson and Smyth 2010), corrected over the pairs of a label after Benjamini and Hochberg
(1995); a label's block is judged by its mean |rho| in the same way, corrected over the labels. Mean |rho| is
never 0 by chance: compare it with the band of the permutations.</dd>
<dt><b>Intervals</b></dt><dd>95 % bootstrap over recordings, centred on the estimate, because resampling with
replacement raises |rho|. They are for the value at this number of recordings, chance included.</dd>
<dt><b>Grad-CAM</b></dt><dd>R. Selvaraju et al., “Grad-CAM: Visual explanations from deep networks via
gradient-based localization” (2017), computed with tf-keras-vis on the logit of the true label, for the
deepest feature maps of each modality on its own input. Shown is the middle segment of recordings spread
evenly from the most to the least certain one. Each map is scaled to its own largest value.</dd>
<dt><b>Limits</b></dt><dd>Related features need not share a cause in the music: recordings of one source
(performer, camera, room) resemble each other in sound and picture alike, and the permutations take recordings
for independent. Where recordings bear several labels, the recordings of one label also differ by what else they
hold, in sound and picture alike: features that tell the other label move together too.</dd>
</dl>
"""
