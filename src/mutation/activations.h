// Activation functions by a configuration's words: which one a node is, and calls of them.
#pragma once

#include <string>
#include <vector>

#include "tvm/node.h"

namespace mutatenn {

// What an activation can be replaced with, in the order of the alphabet. "identity" is its removal.
const std::vector<std::string>& ActivationWords();
// Those of them that are one node of the imported graph. The importer makes hard_sigmoid and
// hard_swish of several.
const std::vector<std::string>& ActivationsOfOneNode();
// The word of a node; "" where it is no such activation. relu6 is any clip from 0 upwards.
std::string ActivationOf(const Node& node);
// leaky_relu has the slope 0.01; hard_sigmoid(x) = clip(x / 6 + 0.5, 0, 1), hard_swish(x) = x *
// hard_sigmoid(x).
Node ActivationCall(const std::string& word, const Node& x);

}  // namespace mutatenn
