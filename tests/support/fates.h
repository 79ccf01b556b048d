// What a mutant gave, as `mutatenn show` prints it, against outputs computed elsewhere.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <regex>

#include "support/run.h"

namespace mutatenn {

// The first label and its score on every image and each of two devices; `expected`: {image:
// outputs}.
inline void ExpectFates(const std::string& folder, const std::string& mutant,
                        const Json& expected) {
  const RunResult show = Mutatenn({"show", folder, mutant});
  ASSERT_EQ(show.status, 0) << show.err;
  const std::regex line(R"(  (image\d\.png): ok, label (\d+) \(([-0-9.e+]+)\))");
  size_t images = 0;
  for (std::sregex_iterator at(show.out.begin(), show.out.end(), line), end; at != end; ++at) {
    const Json& outputs = expected.at((*at)[1].str());
    size_t best = 0;
    for (size_t i = 1; i < outputs.size(); ++i)
      if (outputs[i] > outputs[best]) best = i;
    const double want = outputs[best];
    EXPECT_EQ(std::stoul((*at)[2]), best) << show.out;
    EXPECT_NEAR(std::stod((*at)[3]), want, 1e-4 * std::abs(want) + 1e-4) << show.out;
    ++images;
  }
  EXPECT_EQ(images, 2 * expected.size()) << "on both devices: " << show.out;
}

}  // namespace mutatenn
