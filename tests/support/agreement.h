// The unmutated program against onnxruntime: a campaign with one mutant and top_k = all classes,
// whose report then holds every output of the original.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/run.h"

namespace mutatenn {

// |a - b| <= 1e-4 max|b| + 1e-3 |b| for every output of every image on every device.
inline void ExpectAgreement(const std::string& campaign, const std::string& folder, int classes) {
  RunResult python =
      Python((SourceDirectory() / "tests/support/expected_outputs.py").string(), {campaign});
  ASSERT_EQ(python.status, 0) << python.err;
  auto expected = ParseJson(python.out, "onnxruntime");
  ASSERT_TRUE(expected.ok());
  RunResult run = Mutatenn({"run", campaign, "--out", folder, "--quiet"});
  ASSERT_EQ(run.status, 0) << run.err;
  Json report = Report(folder);
  const Json& originals = report["models"][0]["original"];
  ASSERT_EQ(originals.size(), expected->size() * report["devices"].size());
  for (const Json& original : originals) {
    const Json& outputs = (*expected)[original["image"].get<std::string>()];
    ASSERT_EQ(static_cast<int>(original["top_k"].size()), classes);
    double largest = 0;
    for (const Json& value : outputs) largest = std::max(largest, std::abs(value.get<double>()));
    for (const Json& entry : original["top_k"]) {
      const double got = entry["score"].get<double>(),
                   want = outputs[entry["label"].get<size_t>()].get<double>();
      ASSERT_LE(std::abs(got - want), 1e-4 * largest + 1e-3 * std::abs(want))
          << original["device"] << " " << original["image"] << " class " << entry["label"];
    }
  }
}

}  // namespace mutatenn
