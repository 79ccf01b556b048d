// Records of finished images in shared pages, each under a checksum.
#include "worker/progress.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "base/hash.h"

namespace mutatenn {
namespace {

constexpr int64_t kHeader = 1024;
static_assert(sizeof(Progress) <= kHeader);

uint64_t ChecksumOf(const char* record, int64_t stride) {
  constexpr size_t kSkip = sizeof(uint64_t);
  return Hash64({record + kSkip, static_cast<size_t>(stride) - kSkip});
}

}  // namespace

int64_t MonotonicNanoseconds() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

Result<SharedRegion> SharedRegion::Make(int records, int top_k, int64_t extra_bytes) {
  SharedRegion region;
  region.records_ = records;
  region.top_k_ = top_k;
  region.extra_ = extra_bytes;
  region.stride_ =
      Aligned(static_cast<int64_t>(sizeof(Record) + sizeof(Ranked) * top_k) + extra_bytes);
  region.mapping_ = TRY(MapShared(static_cast<size_t>(kHeader + region.stride_ * records)));
  new (region.mapping_.data()) Progress;
  region.progress().started_ns = MonotonicNanoseconds();
  return region;
}

char* SharedRegion::RecordAt(int index) const {
  return mapping_.data() + kHeader + stride_ * index;
}

int SharedRegion::completed() const { return std::clamp(progress().completed.load(), 0, records_); }

void SharedRegion::Append(Record record, const std::vector<Ranked>& top,
                          std::span<const char> extra) {
  int index = progress().completed;
  CHECK(index < records_ && static_cast<int64_t>(extra.size()) == extra_);
  char* at = RecordAt(index);
  record.top_count = std::min<int32_t>(top_k_, static_cast<int32_t>(top.size()));
  std::memcpy(at, &record, sizeof record);
  if (record.top_count > 0)
    std::memcpy(at + sizeof record, top.data(), sizeof(Ranked) * record.top_count);
  if (!extra.empty())
    std::memcpy(at + sizeof record + sizeof(Ranked) * top_k_, extra.data(), extra.size());
  uint64_t checksum = ChecksumOf(at, stride_);
  std::memcpy(at, &checksum, sizeof checksum);
  progress().completed = index + 1;
}

bool SharedRegion::Read(int index, Record* record, std::vector<Ranked>* top,
                        std::vector<char>* extra) const {
  const char* at = RecordAt(index);
  std::memcpy(record, at, sizeof *record);
  if (record->checksum != ChecksumOf(at, stride_)) return false;
  if (record->top_count < 0 || record->top_count > top_k_) return false;
  top->resize(static_cast<size_t>(record->top_count));
  if (!top->empty()) std::memcpy(top->data(), at + sizeof *record, sizeof(Ranked) * top->size());
  if (extra != nullptr) {
    const char* from = at + sizeof *record + sizeof(Ranked) * top_k_;
    extra->assign(from, from + extra_);
  }
  return true;
}

}  // namespace mutatenn
