// Turns a folder, a truth file and a list of class names into images with their classes.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "base/files.h"
#include "base/number.h"
#include "model/model.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kSuffixes[] = {".jpg", ".jpeg", ".png", ".bmp"};

bool IsImageName(const fs::path& path) {
  std::string suffix = path.extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return std::find(std::begin(kSuffixes), std::end(kSuffixes), suffix) != std::end(kSuffixes);
}

// Lines without their ends (LF or CR LF) and without a byte order mark.
std::vector<std::string> Lines(std::string text) {
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> Columns(const std::string& line) {
  std::vector<std::string> columns{""};
  for (char c : line) {
    if (c == '\t') {
      columns.emplace_back();
    } else {
      columns.back() += c;
    }
  }
  return columns;
}

struct Truth {
  int64_t label = -1;
  size_t line = 0;
};

Result<std::map<std::string, Truth>> ReadTruth(const std::string& path) {
  std::map<std::string, Truth> truth;
  std::vector<std::string> lines = Lines(TRY(ReadFile(path)));
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || lines[i][0] == '#') continue;
    std::string where = path + ":" + std::to_string(i + 1) + ": ";
    std::vector<std::string> columns = Columns(lines[i]);
    if (columns.size() < 2) {
      return Fail(Code::kInvalidInput, where, "expected a file name, a tab and a class");
    }
    const std::string& text = columns[1];
    const std::optional<int64_t> label = NumberFrom<int64_t>(text);
    if (!label && i == 0 && truth.empty() && columns[0] == "file") continue;  // headings
    if (!label)
      return Fail(Code::kInvalidInput, where, "the class '", text, "' is no whole number");
    if (*label < 0) return Fail(Code::kInvalidInput, where, "the class ", text, " is below 0");
    if (!truth.emplace(columns[0], Truth{*label, i + 1}).second) {
      return Fail(Code::kInvalidInput, where, columns[0], " is listed twice");
    }
  }
  return truth;
}

}  // namespace

Result<std::vector<ImageFile>> ListImages(const std::string& path, const std::string& truth) {
  std::vector<ImageFile> images;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
      std::error_code ignored;
      if (!IsImageName(at->path()) || !at->is_regular_file(ignored)) continue;
      images.push_back({at->path().filename().string(), at->path().string()});
    }
    if (error) return Fail(Code::kIo, "cannot read ", path, ": ", error.message());
    std::sort(images.begin(), images.end(),
              [](const ImageFile& a, const ImageFile& b) { return a.name < b.name; });
    if (images.empty()) {
      return Fail(Code::kInvalidInput, path, ": no image (.jpg, .jpeg, .png, .bmp) in this folder");
    }
  } else if (fs::exists(path, error)) {
    images.push_back({fs::path(path).filename().string(), path});
  } else {
    return Fail(Code::kNotFound, path, ": no such image or folder of images");
  }
  if (truth.empty()) return images;
  bool folder = fs::is_directory(path, error);
  std::map<std::string, Truth> listed = TRY(ReadTruth(truth));
  for (ImageFile& image : images) {
    auto found = listed.find(image.name);
    if (found == listed.end()) continue;
    image.truth = found->second.label;
    listed.erase(found);
  }
  // One image out of a folder may well use the folder's truth file.
  if (folder && !listed.empty()) {
    auto first = std::min_element(listed.begin(), listed.end(), [](const auto& a, const auto& b) {
      return a.second.line < b.second.line;
    });
    return Fail(Code::kInvalidInput, truth, ":", std::to_string(first->second.line), ": ",
                first->first, " is not an image in ", path);
  }
  return images;
}

Result<std::vector<std::string>> ReadClasses(const std::string& path) {
  std::vector<std::string> classes = Lines(TRY(ReadFile(path)));
  while (!classes.empty() && classes.back().empty()) classes.pop_back();
  if (classes.empty()) return Fail(Code::kInvalidInput, path, ": no class names in this file");
  for (size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].empty()) {
      return Fail(Code::kInvalidInput, path, ":", std::to_string(i + 1),
                  ": an empty line; line n names class n-1, so none may be left out");
    }
  }
  return classes;
}

}  // namespace mutatenn
