// The rule `accept:command=COMMAND`: somebody else's program looks at all outputs of a mutant and
// says by its exit status whether they are acceptable.
#pragma once

#include <string>

#include "analysis/campaign_view.h"
#include "base/result.h"

namespace mutatenn {

// Runs `sh -c 'COMMAND "$1"'` with a file .npz, which is removed afterwards:
//   outputs   float32 [images, classes], the mutant's raw scores
//   original  the same of the original on this device
//   labels    int64 [images], true classes, -1 = not known
//   images    bytes [images], their names
// Exit status 0: accepted, 1: killed; any other end says nothing and leaves the mutant pending with
// the command's last words. The fates must hold whole outputs (metrics.h, WholeOutput). `mutant`
// and `device` are in the variables MUTATENN_MUTANT and MUTATENN_DEVICE.
LimitCheck AskCommand(const Evidence& evidence, const std::string& mutant,
                      const std::string& device);

// kInvalidInput unless the originals' lists of at most `top_k` labels hold every class.
Status CheckWholeOutputs(const ModelView& model, int top_k);

}  // namespace mutatenn
