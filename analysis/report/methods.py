"""The methods in the report: what each figure is, its formula, and where it comes from."""

from analysis.report.markup import Markup


def methods(fdr_level: float) -> Markup:
    """The section, with the level at which single pairs were judged."""
    found = {"FDR_LEVEL": f"{fdr_level:g}", "FDR_PERCENT": f"{100 * fdr_level:g} %"}
    text = _METHODS
    for name, value in found.items():
        text = text.replace(name, value)
    return Markup(text)


_METHODS = """
<p>The study follows O. Slizovskaia, E. Gómez and G. Haro, “Correspondence between audio and visual deep models
for musical instrument detection in video recordings” (2017), and adds what chance gives.</p>
<dl>
<dt>Features</dt><dd>The penultimate layers' activations, audio (a) and visual (v), of each segment of one
second, averaged over the segments of a recording. A recording's probabilities are the mean over its segments;
it is predicted as its most probable label (where recordings bear several labels: as every label with a
probability of 0.5 or more, which may be none).</dd>
<dt>Scores</dt><dd>Hit@k: share of the recordings with a true label among the k most probable ones. F1: harmonic
mean of precision and recall, averaged over the labels. mAP: mean over the labels of the average precision.
Intervals: 95 % bootstrap over recordings.</dd>
<dt>Importance</dt><dd>
<span class="formula">L<sub>i</sub><sup>c</sup> = mean over the recordings predicted as c of
max(a<sub>i</sub><sup>c</sup> x<sub>i</sub>, 0), where a<sub>i</sub><sup>c</sup> = ∂ logit<sub>c</sub> / ∂
x<sub>i</sub></span> by automatic differentiation. With one dense layer on the features it is that layer's
weight; x still is each recording's own. The importance figures are over the analyzed split. Stability is the share
of bootstrap resamples of the recordings predicted as c in which a feature is among the most important ones.</dd>
<dt>Correlation</dt><dd>Spearman's rho, the correlation of the ranks r of two features,
<span class="formula">rho = cov(r<sub>i</sub>, r<sub>j</sub>) / (σ(r<sub>i</sub>) σ(r<sub>j</sub>)),</span>
with average ranks for ties, over the recordings whose true labels include the label, of its most important
audio and visual features. Features are chosen on other recordings than they are correlated on: chosen and
correlated on the same ones, they would look related too often. Without another split, and on demand, that
is done on two halves both ways round (cross-fitting): rho is the mean of the halves in which a pair was
tested, a pair of both has p = min(1, 2 min(p<sub>1</sub>, p<sub>2</sub>)), and the correction is over all pairs;
pairs that were never chosen on the same half are light grey. Features that are the same in all recordings
have no correlation and are grey. Within a modality, features stand in the order of a hierarchical clustering
(average linkage at the distance 1 − |rho|, neighbouring leaves as alike as they can be; Bar-Joseph, Gifford and
Jaakkola 2001).</dd>
<dt>Chance</dt><dd>The recordings of a label are shuffled between the modalities; what is related within a
modality stays so. A pair's p-value is
<span class="formula">p = (1 + permutations with |rho| at least as large) / (1 + permutations)</span>
(Phipson and Smyth 2010); q is p corrected over the pairs of a label after Benjamini and Hochberg (1995): of the
pairs with q of at most FDR_LEVEL, at most FDR_PERCENT are expected to be unrelated. A label's block is judged by
its mean |rho|, one-sided: it is beyond chance where p, corrected over the labels, is at most 0.025, and so always
above the band, which holds 95 % of the permutations. The mean over all labels is judged by its own p with the same
limit; where recordings bear several labels, labels share recordings, that mean has neither interval nor band, and
each label is judged by itself. Mean |rho| is never 0 by chance: compare it with the band.</dd>
<dt>Intervals</dt><dd>95 % bootstrap over recordings, centred on the estimate, because resampling with
replacement raises |rho|. They are for the value at this number of recordings, chance included.</dd>
<dt>Two runs side by side</dt><dd>Each run's features are chosen by its own importance on its own features of the
selection recordings. The difference of mean |rho| has the interval of a bootstrap that draws the same recordings
in both runs, within their labels, centred on the difference. Mean |rho| depends on the number of recordings, which
is the same in both; what chance gives stands beside. Every label counts the same in the mean over labels. Chance
is that of each run's own report, by the same permutations; p is corrected over the labels that are compared.</dd>
<dt>Alignment</dt><dd>All audio features X against all visual ones Y, recording by recording. Linear CKA, <span
class="formula">CKA = HSIC<sub>1</sub>(XX<sup>T</sup>, YY<sup>T</sup>) / √(HSIC<sub>1</sub>(XX<sup>T</sup>,
XX<sup>T</sup>) HSIC<sub>1</sub>(YY<sup>T</sup>, YY<sup>T</sup>)),</span> with the unbiased estimate
HSIC<sub>1</sub> (Song et al. 2012; Nguyen et al. 2021), so that over all recordings unrelated features give about
0 whatever their number. Mutual nearest neighbours: the mean share of a recording's 10 nearest recordings by the
cosine that sound and picture have in common (Huh et al. 2024). CCA: principal components of each modality, at
most 10, and the first canonical correlation (Hotelling 1936) fitted on four fifths of the recordings and
measured on the fifth. Each has two nulls of 1,000 permutations, fewer where fewer were asked for: all
recordings shuffled, and recordings shuffled within their label, which keeps what the label alone makes the
modalities share. The latter is over the recordings that can change places, those whose labels others bear too (for
CCA in the same fold besides); with fewer than 20 of them it cannot be told.
Within labels: the same after each label's mean is taken off the features. That binds a label's
recordings to each other, in sound and picture alike, so that unrelated features do not give 0 there where labels
have few recordings: with independent normal features, 1024 and 2048 of them, and 4 labels, CKA is 0.90 on average
with 24 recordings and 0.31 with 100. A value within labels says something only beside its own
band of chance. A measure is beyond chance where p times the number of measures is at most 0.025.</dd>
<dt>Grad-CAM</dt><dd>On the logit of the label, for the deepest feature maps A<sup>k</sup> of each modality on
its own input: <span class="formula">map = max(Σ<sub>k</sub> w<sub>k</sub> A<sup>k</sup>, 0), where
w<sub>k</sub> = mean over the places of ∂ logit / ∂ A<sup>k</sup></span> (Selvaraju et al. 2017). Shown is the
middle segment of recordings that were and that were not predicted as the label, spread evenly from the most to
the least probable one, and of those where the two most probable labels are nearest to each other. Each map is
scaled to its own largest value.</dd>
<dt>Grad-CAM++, Score-CAM</dt><dd>Other weights w<sub>k</sub> for the same maps (<code>--gradcam_method</code>).
Grad-CAM++, for the score exp(logit): <span class="formula">w<sub>k</sub> = Σ α max(g, 0), where α = g² / (2 g² +
g³ Σ A<sup>k</sup>)</span> at each place, scaled to a sum of 1, and g = ∂ logit / ∂ A<sup>k</sup> (Chattopadhay et
al. 2018). Score-CAM: w<sub>k</sub> is the label's probability where A<sup>k</sup>, scaled to [0, 1], masks the
input, for the 64 channels that vary most; what is masked becomes the input's own mean (Wang et al. 2020).</dd>
<dt>Mean maps</dt><dd>Over all recordings of a label, for that label: each map divided by its sum, averaged over a
recording's segments, then over recordings; maps without evidence are left out and counted. 1 is what an even map
has. The map of a spectrogram has few cells: a band's share tells about its surroundings.</dd>
<dt>Deletion, insertion, ROAD</dt><dd>The predicted label's probability as the input is taken away, or shown, in
the order of its map (Petsiuk et al. 2018; Rong et al. 2022). What is taken away becomes the training split's mean
level in a spectrogram and the blurred picture in a frame; in ROAD each removed value becomes the weighted mean of
its neighbours, plus noise, so that no outline tells where something was. The other modality stays as it is.
Compared with maps of random cells of the same size and with single pixels in random order; the gain is the
difference of the areas under the curves, recording by recording.</dd>
<dt>Shuffled weights</dt><dd>The values of each weight array are shuffled from the head downwards, and the maps
made anew (after Adebayo et al. 2018). Maps that stay alike do not show what was learned.</dd>
<dt>Sound</dt><dd>What the model heard of the segment, mono, at its own sample rate. Where the recording's file
is not at hand, the sound is made from the log-mel spectrogram and says so: magnitudes by non-negative least
squares (Lee and Seung 2000), phase after Griffin and Lim (1984; Perraudin et al. 2013). It is rougher than the
recording was.</dd>
<dt>Limits</dt><dd>Related features need not share a cause in the music: recordings of one source (performer,
camera, room) resemble each other in sound and picture alike, and the permutations take recordings for
independent. Where recordings bear several labels, the recordings of one label also differ by what else they
hold, in sound and picture alike: features that tell the other label move together too.</dd>
</dl>
<h3>References</h3>
<ul>
<li>J. Adebayo et al., “Sanity checks for saliency maps”, NeurIPS 2018,
<a href="https://arxiv.org/abs/1810.03292" rel="noreferrer">arXiv:1810.03292</a>.</li>
<li>Z. Bar-Joseph, D. Gifford and T. Jaakkola, “Fast optimal leaf ordering for hierarchical clustering”,
Bioinformatics 17, 2001.</li>
<li>Y. Benjamini and Y. Hochberg, “Controlling the false discovery rate”, J. R. Stat. Soc. B 57, 1995.</li>
<li>A. Chattopadhay et al., “Grad-CAM++: Improved visual explanations for deep convolutional networks”, WACV
2018, <a href="https://arxiv.org/abs/1710.11063" rel="noreferrer">arXiv:1710.11063</a>.</li>
<li>D. Griffin and J. Lim, “Signal estimation from modified short-time Fourier transform”, IEEE Trans. ASSP 32,
1984.</li>
<li>H. Hotelling, “Relations between two sets of variates”, Biometrika 28, 1936.</li>
<li>M. Huh et al., “The Platonic representation hypothesis”, ICML 2024,
<a href="https://arxiv.org/abs/2405.07987" rel="noreferrer">arXiv:2405.07987</a>.</li>
<li>D. Lee and H. Seung, “Algorithms for non-negative matrix factorization”, NIPS 2000.</li>
<li>T. Nguyen, M. Raghu and S. Kornblith, “Do wide and deep networks learn the same things?”, ICLR 2021,
<a href="https://arxiv.org/abs/2010.15327" rel="noreferrer">arXiv:2010.15327</a>.</li>
<li>N. Perraudin, P. Balazs and P. Søndergaard, “A fast Griffin-Lim algorithm”, WASPAA 2013.</li>
<li>V. Petsiuk, A. Das and K. Saenko, “RISE: Randomized input sampling for explanation of black-box models”,
BMVC 2018, <a href="https://arxiv.org/abs/1806.07421" rel="noreferrer">arXiv:1806.07421</a>.</li>
<li>B. Phipson and G. Smyth, “Permutation p-values should never be zero”, Stat. Appl. Genet. Mol. Biol. 9,
2010.</li>
<li>Y. Rong et al., “A consistent and efficient evaluation strategy for attribution methods”, ICML 2022,
<a href="https://arxiv.org/abs/2202.00449" rel="noreferrer">arXiv:2202.00449</a>.</li>
<li>R. Selvaraju et al., “Grad-CAM: Visual explanations from deep networks via gradient-based localization”,
ICCV 2017, <a href="https://arxiv.org/abs/1610.02391" rel="noreferrer">arXiv:1610.02391</a>.</li>
<li>O. Slizovskaia, E. Gómez and G. Haro, “Correspondence between audio and visual deep models for musical
instrument detection in video recordings”, 2017.</li>
<li>L. Song et al., “Feature selection via dependence maximization”, J. Mach. Learn. Res. 13, 2012.</li>
<li>H. Wang et al., “Score-CAM: Score-weighted visual explanations for convolutional neural networks”, CVPR
Workshops 2020, <a href="https://arxiv.org/abs/1910.01279" rel="noreferrer">arXiv:1910.01279</a>.</li>
</ul>
"""
