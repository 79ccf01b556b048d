// The rule `fisher`: a mutant on a noisy device is killed when its runs have another label more
// often than the original's own repeated runs, by Fisher's exact test (the idea of J. Kim et al.,
// arXiv 2507.11199). Another killing run only makes it more certain.
#pragma once

#include "judge/judge.h"

namespace mutatenn {

// R. A. Fisher, 1922: the probability of at least `killing` of `runs` if they came by chance from
// all killing + original_killing of the runs + original_runs. One-sided; 1 when a side is empty.
double FisherExact(int killing, int runs, int original_killing, int original_runs);

// A run of a mutant kills when its first label is not that of the original's first run; so does a
// repeated run of the original. Needs every image (`complete`), as `n` are the images.
LimitCheck FisherCheck(const Evidence& evidence, bool complete);

}  // namespace mutatenn
