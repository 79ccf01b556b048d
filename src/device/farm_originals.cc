// Differences between first runs against noise.
#include "device/farm_originals.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "device/farm_server.h"
#include "device/originals.h"

namespace mutatenn {
namespace {

// As for a device against the reference (campaign/repeats.cc): more than any instruction set or
// order of sums makes.
constexpr double kWrong = 1e-3;

using Outputs = std::vector<std::vector<float>>;

const Outputs& First(const ServerOriginals& server, size_t image) {
  return server.repeated.front().outputs[image].front().outputs;
}

bool HasOutputs(const ServerOriginals& server) {
  return !server.repeated.empty() &&
         std::all_of(server.repeated.begin(), server.repeated.end(), [&](const RepeatedRun& run) {
           return run.outputs.size() == server.runs.size() &&
                  std::none_of(run.outputs.begin(), run.outputs.end(),
                               [](const auto& image) { return image.empty(); });
         });
}

double Difference(const Outputs& a, const Outputs& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (size_t o = 0; o < std::min(a.size(), b.size()); ++o)
    largest = LargerOrNaN(largest, LargestDifference(a[o], b[o]));
  return largest;
}

// Of its runs to the first one.
double OwnNoise(const ServerOriginals& server) {
  double largest = 0;
  for (const RepeatedRun& run : server.repeated)
    for (size_t image = 0; image < run.outputs.size(); ++image)
      largest = LargerOrNaN(largest,
                            Difference(First(server, image), run.outputs[image].front().outputs));
  return largest;
}

bool IsExact(const ServerOriginals& server) {
  return std::none_of(server.runs.begin(), server.runs.end(),
                      [](const OriginalRun& run) { return run.noisy; }) &&
         (!HasOutputs(server) || OwnNoise(server) == 0);
}

}  // namespace

std::string Disagreement(const ServerOriginals& a, const ServerOriginals& b) {
  if (IsExact(a) && IsExact(b)) {
    for (size_t i = 0; i < std::max(a.runs.size(), b.runs.size()); ++i)
      if (i >= a.runs.size() || i >= b.runs.size() || !SameResult(a.runs[i], b.runs[i]))
        return fmt::format("gives other results than that of {}", b.server);
    return "";
  }
  if (!HasOutputs(a) || !HasOutputs(b) || a.runs.size() != b.runs.size()) return "";
  double difference = 0, scale = 0;
  for (size_t image = 0; image < a.runs.size(); ++image) {
    difference = LargerOrNaN(difference, Difference(First(a, image), First(b, image)));
    for (const ServerOriginals* server : {&a, &b})
      for (const std::vector<float>& output : First(*server, image))
        for (float value : output)
          if (std::isfinite(value)) scale = std::max(scale, std::abs(static_cast<double>(value)));
  }
  if (std::isnan(difference)) return fmt::format("is not finite where that of {} is", b.server);
  const double noise = OwnNoise(a) + OwnNoise(b);
  if (!(difference > std::max(kWrong * scale, noise))) return "";
  return fmt::format(
      "differs by {:.3g} from that of {}; outputs reach {:.3g}, both servers' noise together is "
      "{:.3g}",
      difference, b.server, scale, noise);
}

size_t MostAgreed(const std::vector<ServerOriginals>& servers) {
  size_t best = 0;
  int most = -1;
  for (size_t i = 0; i < servers.size(); ++i) {
    int agree = 0;
    for (const ServerOriginals& other : servers) agree += Disagreement(servers[i], other).empty();
    if (agree > most) most = agree, best = i;
  }
  return best;
}

std::vector<RepeatedRun> Together(std::vector<ServerOriginals> servers) {
  std::vector<RepeatedRun> all = std::move(servers.at(0).repeated);
  auto name = [](RepeatedRun& run, const std::string& server) {
    for (std::vector<WorkerOutputs>& image : run.outputs)
      for (WorkerOutputs& worker : image) worker.worker = server;
  };
  for (RepeatedRun& run : all) name(run, servers[0].server);
  if (all.empty()) return all;
  const size_t images = all[0].outputs.size();
  for (size_t s = 1; s < servers.size(); ++s) {
    if (servers[s].repeated.size() != all.size() || !HasOutputs(servers[s])) continue;
    for (size_t image = 0; image < images; ++image) {
      // Bits, not numbers: a NaN that stays is no difference.
      auto same = [&](const Outputs& outputs) {
        return Difference(outputs, all[0].outputs[image].front().outputs) == 0;
      };
      const auto& its = servers[s].repeated;
      const bool agrees = std::all_of(all.begin(), all.end(),
                                      [&](const RepeatedRun& run) {
                                        return same(run.outputs[image].front().outputs);
                                      }) &&
                          std::all_of(its.begin(), its.end(), [&](const RepeatedRun& run) {
                            return same(run.outputs[image].front().outputs);
                          });
      if (agrees) continue;
      for (size_t run = 0; run < all.size(); ++run)
        all[run].outputs[image].push_back(
            {servers[s].server, its[run].outputs[image].front().outputs});
    }
  }
  return all;
}

}  // namespace mutatenn
