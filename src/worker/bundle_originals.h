// What is measured of the originals in a bundle before its mutants run (device/originals.h), and
// what of it the results file holds already. Lines of that file, beside a "model" each: "repeats"
// (an ImageRepeats), "floors" (a list, of the whole part), "hashes" (a list of one ImageHashes).
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "device/bundle.h"

namespace mutatenn {

class BundleOriginals {
 public:
  // Remembers a line of the results file; one of another kind is left alone.
  void Take(const Json& line);
  // Whether there is nothing left to measure of a part.
  bool Complete(const BundlePart& part) const;
  // Measures what is missing on images that the session has loaded and run once (`runs`). `write`
  // brings a line into the results file.
  Status Measure(Session& session, const BundlePart& part, const std::vector<ImageInput>& chunk,
                 const std::vector<OriginalRun>& runs,
                 const std::function<Status(const Json&)>& write);

 private:
  bool Has(const char* kind, const std::string& model, const std::string& image = "") const {
    return done_.contains({kind, {model, image}});
  }
  std::set<std::pair<std::string, std::pair<std::string, std::string>>> done_;
};

}  // namespace mutatenn
