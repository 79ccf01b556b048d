// Myers' greedy O(ND) line diff (E. Myers, "An O(ND) Difference Algorithm", 1986), after the common
// head and tail are set aside: mutants differ in few lines, so D is small.
#include "base/diff.h"

#include <algorithm>
#include <vector>

namespace mutatenn {
namespace {

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

struct Edit {
  char kind;  // ' ', '-' or '+'
  int before, after;
};

std::vector<Edit> Edits(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const int n = static_cast<int>(a.size()), m = static_cast<int>(b.size()), most = n + m;
  std::vector<std::vector<int>> trace;
  std::vector<int> reach(2 * most + 3, 0);
  auto at = [&](std::vector<int>& v, int k) -> int& { return v[k + most + 1]; };
  bool found = most == 0;
  for (int d = 0; d <= most && !found; ++d) {
    trace.push_back(reach);
    for (int k = -d; k <= d && !found; k += 2) {
      int x = k == -d || (k != d && at(reach, k - 1) < at(reach, k + 1)) ? at(reach, k + 1)
                                                                         : at(reach, k - 1) + 1;
      while (x < n && x - k < m && a[x] == b[x - k]) ++x;
      at(reach, k) = x;
      found = x >= n && x - k >= m;
    }
  }
  std::vector<Edit> edits;
  int x = n, y = m;
  for (int d = static_cast<int>(trace.size()) - 1; d >= 0; --d) {
    std::vector<int>& v = trace[d];
    const int k = x - y;
    const int from = k == -d || (k != d && at(v, k - 1) < at(v, k + 1)) ? k + 1 : k - 1;
    const int from_x = d == 0 ? 0 : at(v, from), from_y = d == 0 ? 0 : from_x - from;
    while (x > from_x && y > from_y && x > 0 && y > 0 && a[x - 1] == b[y - 1])
      --x, --y, edits.push_back({' ', x, y});
    if (d == 0) break;
    if (x == from_x)
      --y, edits.push_back({'+', x, y});
    else
      --x, edits.push_back({'-', x, y});
  }
  std::reverse(edits.begin(), edits.end());
  return edits;
}

}  // namespace

std::string UnifiedDiff(const std::string& before, const std::string& after, int context) {
  std::vector<std::string> a = Lines(before), b = Lines(after);
  size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  while (tail < a.size() - head && tail < b.size() - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
    ++tail;
  if (head == a.size() && head == b.size()) return "";
  std::vector<Edit> edits;
  const size_t lead = std::min<size_t>(head, context), trail = std::min<size_t>(tail, context);
  for (size_t i = head - lead; i < head; ++i)
    edits.push_back({' ', static_cast<int>(i), static_cast<int>(i)});
  for (Edit e : Edits({a.begin() + head, a.end() - tail}, {b.begin() + head, b.end() - tail})) {
    e.before += static_cast<int>(head);
    e.after += static_cast<int>(head);
    edits.push_back(e);
  }
  for (size_t i = 0; i < trail; ++i)
    edits.push_back(
        {' ', static_cast<int>(a.size() - tail + i), static_cast<int>(b.size() - tail + i)});

  std::string text;
  for (size_t i = 0; i < edits.size();) {
    // A hunk: changes with at most 2 * context equal lines between them.
    size_t first = i;
    while (first < edits.size() && edits[first].kind == ' ') ++first;
    if (first == edits.size()) break;
    size_t last = first;
    for (size_t j = first; j < edits.size() && j - last <= 2 * static_cast<size_t>(context); ++j)
      if (edits[j].kind != ' ') last = j;
    const size_t begin = std::max(i, first - std::min<size_t>(first, context));
    const size_t end = std::min(edits.size(), last + 1 + context);
    int removed = 0, added = 0;
    for (size_t j = begin; j < end; ++j) {
      removed += edits[j].kind != '+';
      added += edits[j].kind != '-';
    }
    text += "@@ -" + std::to_string(edits[begin].before + 1) + "," + std::to_string(removed) +
            " +" + std::to_string(edits[begin].after + 1) + "," + std::to_string(added) + " @@\n";
    for (size_t j = begin; j < end; ++j)
      text +=
          edits[j].kind + (edits[j].kind == '+' ? b[edits[j].after] : a[edits[j].before]) + "\n";
    i = end;
  }
  return text;
}

}  // namespace mutatenn
