// The printed original, line by line, so that a mutant's print needs its window only: the lines of
// the bindings that were replaced are printed again, all others stay.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/window.h"
#include "mutation/subject.h"

namespace mutatenn {

class PrintedGraph {
 public:
  PrintedGraph() = default;
  static Result<PrintedGraph> Print(const Graph& typed);
  const std::string& text() const { return text_; }

  // The mutant's whole typed graph as PrintGraph gives it, but that no name outside the window is
  // told apart in another way than before. Nothing where lines cannot be told apart.
  std::optional<std::string> With(const FusionWindow::Outcome& window) const;

 private:
  std::string PrintWindow(const FusionWindow::Outcome& window) const;

  std::string text_;
  std::vector<std::string> lines_;
  size_t first_ = 0;                // line of the first binding; 0 = lines cannot be told apart
  std::vector<std::string> names_;  // of bindings, as printed
  std::map<std::string, std::string> printed_;     // name of a binding -> as printed
  std::map<const void*, std::string> parameters_;  // variable -> as printed
  std::set<std::string> taken_;                    // all of these
};

}  // namespace mutatenn
