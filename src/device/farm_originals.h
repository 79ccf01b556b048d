// Which of a farm's servers compute the same original, and the runs of those that do, together.
#pragma once

#include <string>
#include <vector>

#include "device/session.h"

namespace mutatenn {

// What one server answered.
struct ServerOriginals {
  std::string server;
  std::vector<OriginalRun> runs;      // the first run
  std::vector<RepeatedRun> repeated;  // that one and later ones
};

// Whether two servers may share mutants. Where both repeat themselves: the same labels and scores.
// Else their first runs differ by no more than 0.001 of the largest output, or than both servers'
// own noise together. "" = they may; else how they differ.
std::string Disagreement(const ServerOriginals& a, const ServerOriginals& b);

// The one that most others agree with; of several, the first.
size_t MostAgreed(const std::vector<ServerOriginals>& servers);

// The runs of all, those of `servers[0]` first; of those that never differ from its first run,
// none.
std::vector<RepeatedRun> Together(std::vector<ServerOriginals> servers);

}  // namespace mutatenn
