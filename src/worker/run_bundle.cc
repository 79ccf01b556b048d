// The worker's own functions, called in place, over all images and mutants of a bundle; every
// result is a line that is on the disk before the next one is asked for.
#include "worker/run_bundle.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>

#include "base/files.h"
#include "base/process.h"
#include "device/json_session.h"
#include "worker/bundle_originals.h"
#include "worker/service.h"

namespace mutatenn {
namespace fs = std::filesystem;
namespace {

constexpr double kUnpack_s = 3600;
constexpr double kCollect_s = 5;
constexpr size_t kWaiting = 64;  // mutants in the worker's queue

// A session with the worker in this process.
class OwnSession : public JsonSession {
 public:
  OwnSession() : service_([] { return true; }), functions_(service_.Functions()) {}

 private:
  Result<Json> Call(const std::string& function, const Json& argument) override {
    return OpenReply(functions_.at(function)(DumpJson(argument)));
  }
  Service service_;
  std::map<std::string, RemoteFunction> functions_;
};

// The results file: what it holds, and its end.
class Results {
 public:
  static Result<Results> Open(const fs::path& path, const Bundle& bundle) {
    Results results;
    Json head = {{"campaign", bundle.campaign}, {"device", bundle.device}};
    int64_t good = 0;
    std::ifstream in(path);
    for (std::string line; std::getline(in, line) && !in.eof(); good += 1 + std::ssize(line)) {
      Result<Json> json = ParseJson(line, path.string());
      if (!json.ok()) break;  // the power went while it was written
      if (good == 0 && *json != head)
        return Fail(Code::kInvalidInput, path.string(), ": holds results of another bundle");
      if (good > 0) TRY(results.Take(*json));
    }
    std::error_code ignored;
    if (fs::exists(path)) fs::resize_file(path, static_cast<uintmax_t>(good), ignored);
    results.file_.reset(std::fopen(path.c_str(), "ae"));
    if (results.file_ == nullptr) return Fail(Code::kIo, path.string(), ": cannot be written to");
    if (good == 0) TRY(results.Write(head));
    return results;
  }
  Status Add(const std::string& model, const OriginalRun& run) {
    if (!originals_[model].emplace(run.image, run).second) return Ok();
    return Write({{"model", model}, {"original", ToJson(run)}});
  }
  Status Add(const std::string& model, const MutantDone& done) {
    Json line = {{"model", model}, {"done", ToJson(done)}};
    TRY(Take(line));
    return Write(line);
  }
  // What is missing of the measurements on a chunk that was run once.
  Status Measure(Session& session, const BundlePart& part, const std::vector<ImageInput>& chunk,
                 const std::vector<OriginalRun>& runs) {
    return measured_.Measure(session, part, chunk, runs, [this](const Json& line) -> Status {
      TRY(Write(line));
      return TakeRepeats(line);
    });
  }
  bool Measured(const BundlePart& part) const { return measured_.Complete(part); }
  std::vector<OriginalRun> Originals(const std::string& model) const {
    std::vector<OriginalRun> runs;
    if (auto found = originals_.find(model); found != originals_.end())
      for (const auto& [image, run] : found->second) runs.push_back(run);
    return runs;
  }
  // The mutant's next job on `chunk`; without images when there is none. As in a campaign it holds
  // stable images only, so that it may end at the first that kills, or only such as end nothing.
  MutantJob Next(const std::string& model, const MutantJob& job,
                 const std::vector<ImageInput>& chunk) {
    const Seen& seen = seen_[{model, job.program.mutant}];
    MutantJob next = job;
    next.images.clear();
    if (seen.detected && job.stop_at_kill) return next;
    const std::set<std::string>& unstable = unstable_[model];
    for (const ImageInput& image : chunk) {
      if (seen.images.contains(image.id)) continue;
      if (job.stop_at_kill && !next.images.empty() &&
          unstable.contains(image.id) != unstable.contains(next.images.front()))
        break;
      next.images.push_back(image.id);
    }
    next.stop_at_kill &= !next.images.empty() && !unstable.contains(next.images.front());
    return next;
  }

 private:
  struct Seen {
    std::set<std::string> images;
    bool detected = false;
  };
  struct Close {
    void operator()(FILE* file) const { std::fclose(file); }
  };

  Status Take(const Json& line) {
    std::string model = line.value("model", "");
    measured_.Take(line);
    TRY(TakeRepeats(line));
    if (line.contains("original")) {
      OriginalRun run = TRY(OriginalRunFromJson(line["original"]));
      originals_[model].emplace(run.image, run);
    } else if (line.contains("done")) {
      MutantDone done = TRY(MutantDoneFromJson(line["done"]));
      Seen& seen = seen_[{model, done.mutant}];
      for (const Fate& fate : done.fates) {
        seen.images.insert(fate.image);
        auto original = originals_[model].find(fate.image);
        seen.detected |=
            fate.ending != Ending::kOk ||
            (original != originals_[model].end() && !unstable_[model].contains(fate.image) &&
             KilledByTop1(original->second.top, fate.top));
      }
    }
    return Ok();
  }
  // Images whose original does not repeat its label end no mutant.
  Status TakeRepeats(const Json& line) {
    if (!line.contains("repeats")) return Ok();
    const ImageRepeats repeats = TRY(ImageRepeatsFromJson(line["repeats"]));
    for (int64_t label : repeats.labels)
      if (label != repeats.labels.front()) unstable_[line.value("model", "")].insert(repeats.image);
    return Ok();
  }
  Status Write(const Json& line) {
    std::string text = DumpJson(line) + "\n";
    if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() ||
        std::fflush(file_.get()) != 0)
      return Fail(Code::kIo, "the results cannot be written (a full disk?); run the same again");
    return Ok();
  }

  std::unique_ptr<FILE, Close> file_;
  BundleOriginals measured_;
  std::map<std::string, std::map<std::string, OriginalRun>> originals_;
  std::map<std::string, std::set<std::string>> unstable_;  // by model
  std::map<std::pair<std::string, std::string>, Seen> seen_;
};

Status RunChunk(OwnSession& session, const BundlePart& part, const std::vector<ImageInput>& chunk,
                Results& results) {
  std::vector<MutantJob> waiting;
  std::map<std::string, const MutantJob*> jobs;
  auto add = [&](const MutantJob& job) {
    MutantJob next = results.Next(part.model, job, chunk);
    if (!next.images.empty()) waiting.push_back(std::move(next));
  };
  for (auto job = part.jobs.rbegin(); job != part.jobs.rend(); ++job) {
    jobs[job->program.mutant] = &*job;
    add(*job);
  }
  for (size_t running = 0; running > 0 || !waiting.empty();) {
    for (; running < kWaiting && !waiting.empty(); ++running) {
      TRY(session.Submit({waiting.back()}));
      waiting.pop_back();
    }
    for (const MutantDone& done : TRY(session.Collect(kCollect_s))) {
      --running;
      if (!done.tool_error.empty())
        std::fprintf(stderr, "mutatenn-worker: mutant %s: %s\n", done.mutant.c_str(),
                     done.tool_error.c_str());
      TRY(results.Add(part.model, done));
      const auto job = jobs.find(done.mutant);
      if (job != jobs.end() && job->second->stop_at_kill && !done.fates.empty() &&
          done.tool_error.empty())
        add(*job->second);
    }
  }
  return Ok();
}

Status RunPart(BundlePart part, const fs::path& folder, Results& results) {
  part.request.root = (folder / "files").string();
  for (ImageInput& image : part.images) image.file = (folder / "files" / image.file).string();
  OwnSession session;
  LoadReply reply = TRY(session.Load(part.request));
  int64_t room = std::ssize(part.images);
  if (reply.reference_bytes_per_image > 0)
    room = part.request.memory_budget_bytes / reply.reference_bytes_per_image;
  const auto size = static_cast<size_t>(std::clamp<int64_t>(room, 1, 1 << 20));
  std::set<std::string> loaded;
  auto chunks = [&](const std::function<Status(const std::vector<ImageInput>&)>& use) -> Status {
    for (size_t begin = 0; begin < part.images.size(); begin += size) {
      size_t end = std::min(part.images.size(), begin + size);
      std::vector<ImageInput> chunk(part.images.begin() + static_cast<long>(begin),
                                    part.images.begin() + static_cast<long>(end));
      std::set<std::string> names;
      for (const ImageInput& image : chunk) names.insert(image.id);
      if (names != loaded) {
        loaded.clear();
        const std::vector<OriginalRun> runs = TRY(session.SetImages(chunk));
        for (const OriginalRun& run : runs) TRY(results.Add(part.model, run));
        TRY(results.Measure(session, part, chunk, runs));
        loaded = std::move(names);
      }
      TRY(use(chunk));
    }
    return Ok();
  };
  // All that is known of the device before is written by then, whatever the mutants do.
  if (results.Originals(part.model).size() < part.images.size() || !results.Measured(part))
    TRY(chunks([](const std::vector<ImageInput>&) { return Ok(); }));
  if (!part.order_fixed) OrderByMargin(results.Originals(part.model), &part.images);
  TRY(chunks([&](const std::vector<ImageInput>& chunk) {
    return RunChunk(session, part, chunk, results);
  }));
  if (const std::string line = AcceleratorLine(TRY(session.Stats())); !line.empty())
    std::printf("%s\n", line.c_str());
  return Ok();
}

Result<fs::path> Unpacked(const fs::path& bundle) {
  if (fs::is_directory(bundle)) return bundle;
  if (!fs::exists(bundle)) return Fail(Code::kNotFound, bundle.string(), ": no such file");
  fs::path folder = bundle.string() + ".unpacked";
  if (fs::exists(folder / "bundle.json")) return folder;  // the last to be unpacked
  TRY(MakeDirectories(folder));
  ProcessOptions tar;
  tar.command = {"tar", "--zstd", "-xf", fs::absolute(bundle).string(), "-C", folder.string()};
  tar.socket = false;
  std::unique_ptr<Process> process = TRY(Process::Start(tar));
  if (TRY(process->Wait(kUnpack_s)) != 0)
    return Fail(Code::kInvalidInput, bundle.string(),
                ": cannot be unpacked: ", process->LastOutput(2),
                " (tar and zstd are needed; or unpack it elsewhere and "
                "name the folder)");
  return folder;
}

}  // namespace

Status RunBundle(const std::vector<std::string>& arguments) {
  if (arguments.empty() || (arguments.size() != 1 && arguments.size() != 3) ||
      (arguments.size() == 3 && arguments[1] != "--out"))
    return Fail(Code::kInvalidInput, "usage: mutatenn-worker run BUNDLE [--out RESULTS.jsonl]");
  fs::path out =
      arguments.size() == 3 ? fs::path(arguments[2]) : fs::path(arguments[0] + ".results.jsonl");
  fs::path folder = TRY(Unpacked(arguments[0]));
  Json json = TRY(ParseJson(TRY(ReadFile(folder / "bundle.json")), "bundle.json"));
  Bundle bundle = TRY(BundleFromJson(json).With(arguments[0]));
  Results results = TRY(Results::Open(out, bundle));
  for (BundlePart& part : bundle.parts) TRY(RunPart(std::move(part), folder, results));
  std::printf("%s\n", out.c_str());
  return Ok();
}

}  // namespace mutatenn
