// Numbers of a difference, and the messages of probes as JSON, checked on the way in.
#include "device/probe.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/base64.h"
#include "base/decode.h"

namespace mutatenn {
ValueDifference Differences(std::span<const float> values, std::span<const float> with) {
  ValueDifference found;
  found.elements = static_cast<int64_t>(std::max(values.size(), with.size()));
  const size_t both = std::min(values.size(), with.size());
  found.differing = found.nonfinite = found.elements - static_cast<int64_t>(both);
  for (size_t i = 0; i < both; ++i) {
    const double a = values[i], b = with[i];
    if (std::isfinite(b)) found.scale = std::max(found.scale, std::abs(b));
    if (std::bit_cast<uint32_t>(values[i]) == std::bit_cast<uint32_t>(with[i])) continue;
    if (std::isnan(a) && std::isnan(b)) continue;  // which NaN says nothing
    ++found.differing;
    if (!std::isfinite(a) || !std::isfinite(b)) {
      ++found.nonfinite;
      continue;
    }
    const double difference = std::abs(a - b);
    found.largest_abs = std::max(found.largest_abs, difference);
    const double tolerance = difference / (1 + std::abs(b));
    if (tolerance > found.tolerance || found.worst < 0) found.worst = static_cast<int64_t>(i);
    found.tolerance = std::max(found.tolerance, tolerance);
  }
  return found;
}

void Add(const ValueDifference& more, ValueDifference* sum) {
  if (more.worst >= 0 && (sum->worst < 0 || more.tolerance > sum->tolerance))
    sum->worst = more.worst;
  sum->elements += more.elements;
  sum->differing += more.differing;
  sum->nonfinite += more.nonfinite;
  sum->largest_abs = std::max(sum->largest_abs, more.largest_abs);
  sum->scale = std::max(sum->scale, more.scale);
  sum->tolerance = std::max(sum->tolerance, more.tolerance);
}

Json ToJson(const Probe& probe) {
  Json puts = Json::array(), runs = Json::array(), compares = Json::array(), gets = Json::array();
  for (const Probe::Put& put : probe.puts)
    puts.push_back({{"set", put.set}, {"value", put.value}, {"bytes", ToBase64(put.bytes)}});
  for (const Probe::Run& run : probe.runs)
    runs.push_back({{"step", run.step}, {"from", run.from}, {"to", run.to}});
  for (const Probe::Compare& compare : probe.compares)
    compares.push_back({{"value", compare.value}, {"set", compare.set}, {"with", compare.with}});
  for (const Probe::Get& get : probe.gets) gets.push_back({{"set", get.set}, {"value", get.value}});
  return {{"fresh", probe.fresh},
          {"puts", std::move(puts)},
          {"runs", runs},
          {"compares", compares},
          {"gets", gets},
          {"forget", probe.forget},
          {"limit_s", probe.limit_s}};
}

Result<Probe> ProbeFromJson(const Json& json) {
  return Decode("a probe", [&]() -> Result<Probe> {
    Probe probe;
    probe.fresh = json.at("fresh").get<bool>();
    for (const Json& put : json.at("puts"))
      probe.puts.push_back({put.at("set").get<std::string>(), put.at("value").get<int>(),
                            TRY(FromBase64(put.at("bytes").get_ref<const std::string&>()))});
    for (const Json& run : json.at("runs"))
      probe.runs.push_back({run.at("step").get<int>(),
                            run.at("from").get<std::vector<std::string>>(),
                            run.at("to").get<std::string>()});
    for (const Json& compare : json.at("compares"))
      probe.compares.push_back({compare.at("value").get<int>(),
                                compare.at("set").get<std::string>(),
                                compare.at("with").get<std::string>()});
    for (const Json& get : json.at("gets"))
      probe.gets.push_back({get.at("set").get<std::string>(), get.at("value").get<int>()});
    probe.forget = json.at("forget").get<std::vector<int>>();
    probe.limit_s = json.at("limit_s").get<double>();
    return probe;
  });
}

Json ToJson(const ValueDifference& d) {
  return {{"elements", d.elements},   {"differing", d.differing},
          {"nonfinite", d.nonfinite}, {"largest_abs", d.largest_abs},
          {"scale", d.scale},         {"tolerance", d.tolerance},
          {"worst", d.worst}};
}

Json ToJson(const Probed& probed) {
  Json differences = Json::array(), values = Json::array();
  for (const ValueDifference& difference : probed.differences)
    differences.push_back(ToJson(difference));
  for (const std::string& bytes : probed.values) values.push_back(ToBase64(bytes));
  return {{"differences", differences}, {"values", std::move(values)}};
}

Result<Probed> ProbedFromJson(const Json& json) {
  return Decode("a probe's answer", [&]() -> Result<Probed> {
    Probed probed;
    for (const Json& d : json.at("differences")) {
      ValueDifference difference;
      difference.elements = d.at("elements").get<int64_t>();
      difference.differing = d.at("differing").get<int64_t>();
      difference.nonfinite = d.at("nonfinite").get<int64_t>();
      difference.largest_abs = d.at("largest_abs").get<double>();
      difference.scale = d.at("scale").get<double>();
      difference.tolerance = d.at("tolerance").get<double>();
      difference.worst = d.at("worst").get<int64_t>();
      probed.differences.push_back(difference);
    }
    for (const Json& bytes : json.at("values"))
      probed.values.push_back(TRY(FromBase64(bytes.get_ref<const std::string&>())));
    return probed;
  });
}

}  // namespace mutatenn
