// Finding a server at the tracker, and bringing a lost one back: what a farm does to a server
// before there is a session.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "device/session.h"
#include "device/tracker.h"

namespace mutatenn {

// A server of the tracker for one session. Waits while others use servers of the key; kTimeout when
// none came free in wait_s and all that are registered are `ours`. `stop` ends the wait.
Result<Tracker::Server> FindServer(const Address& tracker, const std::string& key, double wait_s,
                                   const std::function<int()>& ours,
                                   const std::function<bool()>& stop);

// Runs the user's shell command and waits for it: how it ended, as the end of a sentence.
std::string RunRecover(const std::string& command, const std::string& server,
                       const std::string& problem);

// Same image, labels and scores.
bool SameResult(const OriginalRun& a, const OriginalRun& b);
bool SameResults(const std::vector<OriginalRun>& a, const std::vector<OriginalRun>& b);

}  // namespace mutatenn
