// A session that runs nothing and says so in the right form: every image has label 0, every mutant
// survives. The template for new sessions, and a device for tests of the campaign.
#include <algorithm>
#include <deque>

#include "device/session.h"

namespace mutatenn {
namespace {

class NullSession : public Session {
 public:
  Result<LoadReply> Load(const LoadRequest&) override {
    loaded_ = true;
    return LoadReply{.cpu = "none", .tvm_version = "none"};
  }

  Result<std::vector<OriginalRun>> SetImages(const std::vector<ImageInput>& images) override {
    if (!loaded_) return Fail(Code::kInvalidInput, "no program is loaded");
    if (!waiting_.empty())
      return Fail(Code::kInvalidInput, "mutants of the last chunk are waiting");
    images_.clear();
    std::vector<OriginalRun> runs;
    for (const ImageInput& image : images) {
      images_.push_back(image.id);
      runs.push_back({image.id, Top(), 0});
    }
    return runs;
  }

  Status Submit(const std::vector<MutantJob>& jobs) override {
    for (const MutantJob& job : jobs)
      for (const std::string& image : job.images) TRY(Known(image));
    waiting_.insert(waiting_.end(), jobs.begin(), jobs.end());
    return Ok();
  }

  Result<std::vector<MutantDone>> Collect(double) override {
    std::vector<MutantDone> finished;
    for (const MutantJob& job : waiting_) {
      MutantDone done{.mutant = job.program.mutant};
      for (const std::string& image : job.images) {
        Fate fate{.image = image};
        fate.top = Top();
        done.fates.push_back(fate);
      }
      finished.push_back(done);
    }
    waiting_.clear();
    return finished;
  }

  Result<std::vector<std::vector<float>>> Outputs(const std::string& image) override {
    TRY(Known(image));
    return std::vector<std::vector<float>>{{1.0f, 0.0f}};
  }

 private:
  static std::vector<Ranked> Top() { return {{0, 1.0}, {1, 0.0}}; }

  Status Known(const std::string& image) const {
    if (std::find(images_.begin(), images_.end(), image) == images_.end())
      return Fail(Code::kInvalidInput, "image '", image, "' is not of the loaded chunk");
    return Ok();
  }

  bool loaded_ = false;
  std::vector<std::string> images_;
  std::deque<MutantJob> waiting_;
};

}  // namespace

std::unique_ptr<Session> MakeNullSession() { return std::make_unique<NullSession>(); }

}  // namespace mutatenn
