// A tree of the original tool to what its runs gave, and that to the comparisons.
#include "report/from_tree.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/files.h"
#include "base/number.h"
#include "report/paper_tree.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOriginal = "model_original";  // begins the original's folder
constexpr const char* kLog = "execution_log.txt";

std::vector<std::string> FoldersIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory(error)) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <class T>
bool Parse(const std::string& text, T& value) {
  size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t\r");
  if (begin == std::string::npos) return false;
  const std::optional<T> number =
      NumberFrom<T>(std::string_view(text).substr(begin, end + 1 - begin));
  if (number) value = *number;
  return number.has_value();
}

// Lines "class, score", an empty line, seconds.
Result<PaperOutput> ReadOutput(const fs::path& path) {
  PaperOutput output;
  std::istringstream text(TRY(ReadFile(path)));
  auto malformed = [&](int line) {
    return Fail(Code::kInvalidInput, path.string(), ", line ", std::to_string(line),
                ": expected lines `class, score`, an empty one, and the seconds");
  };
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) break;
    size_t comma = line.find(',');
    Ranked entry;
    if (comma == std::string::npos || !Parse(line.substr(0, comma), entry.label) ||
        !Parse(line.substr(comma + 1), entry.score))
      return malformed(number);
    output.top.push_back(entry);
  }
  std::string line;
  if (!std::getline(text, line) || !Parse(line, output.seconds)) return malformed(number + 1);
  return output;
}

// Of the last ts_ folder; not started when there is none.
Result<std::map<std::string, PaperOutput>> ReadRun(const fs::path& folder, bool& started) {
  std::map<std::string, PaperOutput> outputs;
  std::vector<std::string> runs = FoldersIn(folder / "mutations");
  std::erase_if(runs, [](const std::string& name) { return !name.starts_with("ts_"); });
  started = !runs.empty();
  if (!started) return outputs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder / "mutations" / runs.back(), error)) {
    std::string name = entry.path().filename().string();
    if (name == kLog || entry.path().extension() != ".txt") continue;
    outputs[name] = TRY(ReadOutput(entry.path()));
  }
  return outputs;
}

using Runs = std::map<std::pair<std::string, std::string>, std::map<std::string, PaperOutput>>;

Result<PaperCampaign> ReadTree(const std::string& root) {
  PaperCampaign campaign;
  campaign.model = fs::path(root + "/.").lexically_normal().parent_path().filename().string();
  std::set<std::string> variants, images;
  Runs runs;  // by variant and device; only those started
  for (const std::string& device : FoldersIn(root)) {
    bool any = false;
    for (const std::string& variant : FoldersIn(fs::path(root) / device)) {
      bool started = false;
      auto outputs = TRY(ReadRun(fs::path(root) / device / variant, started));
      if (!started) continue;
      any = true;
      variants.insert(variant);
      for (const auto& [image, output] : outputs) images.insert(image);
      runs[{variant, device}] = std::move(outputs);
    }
    if (any) campaign.devices.push_back(device);
  }
  campaign.files.assign(images.begin(), images.end());
  auto original = std::find_if(variants.begin(), variants.end(),
                               [](const std::string& name) { return name.starts_with(kOriginal); });
  if (original == variants.end()) {
    return Fail(Code::kNotFound, root, ": holds no DEVICE/", kOriginal,
                "*/mutations/ts_*/; name the folder of one model's results");
  }
  std::vector<std::string> names(variants.begin(), variants.end());
  std::rotate(names.begin(), std::find(names.begin(), names.end(), *original),
              std::find(names.begin(), names.end(), *original) + 1);
  for (const std::string& name : names) {
    PaperVariant& variant = campaign.variants.emplace_back();
    variant.name = name;
    for (const std::string& device : campaign.devices) {
      PaperRun& run = variant.devices.emplace_back();
      auto found = runs.find({name, device});
      if (found == runs.end()) continue;
      run.started = true;
      for (auto& [image, output] : found->second) {
        run.seconds += output.seconds;
        auto at = std::lower_bound(campaign.files.begin(), campaign.files.end(), image);
        run.outputs[static_cast<int>(at - campaign.files.begin())] = std::move(output);
      }
    }
  }
  return campaign;
}

}  // namespace

Result<TreeCounts> JudgeTree(const std::string& root, const std::string& out) {
  PaperCampaign campaign = TRY(ReadTree(root));
  for (const std::string& device : campaign.devices)
    TRY(MakeDirectories(out + "/" + AsFileName(device)));
  TRY(WritePaperComparisons(campaign, out));
  return TreeCounts{campaign.devices.size(), campaign.variants.size(), campaign.files.size()};
}

}  // namespace mutatenn
