// The printed IR of the original, put together again from the mutants' diffs: the store keeps
// diffs, whose context lines and numbers say what stands where. Lines that no diff shows are left
// out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/campaign_view.h"

namespace mutatenn {

// Lines of a file that a mutant replaces, lines and columns from 1.
struct Edit {
  size_t source = 0;               // index into the sources
  int line = 1;                    // the first removed one, or the one before which is added
  int removed = 0;                 // lines
  std::vector<std::string> added;  // lines
};

// Where a mutant changes its file; the end column is exclusive.
struct Change {
  int line = 1, column = 1, end_line = 1, end_column = 1;
  std::string replacement;  // the changed lines as the mutant has them
};

struct Source {
  std::string name;                  // "kernel conv2d_multiply_add 009d0327", "graph"
  std::map<int, std::string> lines;  // those known, by number
  std::map<size_t, Change> mutants;  // by index into ModelView::mutants
  std::string Text() const;          // gaps are one comment and empty lines
};

struct Sources {
  std::vector<Source> files;                  // by name
  std::map<size_t, std::vector<Edit>> edits;  // by index into ModelView::mutants
};

// A mutant without a diff is in the last file, whose name is "not printed" and whose text is "". A
// mutant that changes several files is in the first one of its diff. Of several targets' diffs the
// first counts.
Result<Sources> SourcesOf(const CampaignView& view, const ModelView& model);

}  // namespace mutatenn
