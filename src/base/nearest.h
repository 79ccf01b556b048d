// The word that a misspelt one was probably meant to be, for error messages.
#pragma once

#include <string>
#include <vector>

namespace mutatenn {

// The candidate nearest to `word` by edit distance, "" when none is near (more than a third
// differs).
std::string Nearest(const std::string& word, const std::vector<std::string>& candidates);
// "; did you mean 'x'?" or "".
std::string DidYouMean(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace mutatenn
