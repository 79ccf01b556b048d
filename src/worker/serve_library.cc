// One library, one input at a time.
#include "worker/serve_library.h"

#include <optional>

#include "base/base64.h"
#include "base/process.h"
#include "device/remote.h"
#include "program/program.h"
#include "tvm/library.h"

namespace mutatenn {
namespace {

class LibraryServer {
 public:
  Result<Json> Answer(const Json& request) {
    if (request.contains("file")) {
      library_ = TRY(NetworkLibrary::Load(request["file"].get<std::string>()));
      return Json::object();
    }
    if (!library_) return Fail(Code::kInvalidInput, "no library is loaded");
    const TensorType type{request.at("shape").get<std::vector<int64_t>>(), "float32"};
    std::string bytes = TRY(FromBase64(request.at("input").get_ref<const std::string&>()));
    if (std::ssize(bytes) != type.Bytes())
      return Fail(Code::kInvalidInput, "the input's bytes are not those of its shape");
    const TensorView view{bytes.data(), TRY(ParseDType(type.dtype)), type.shape};
    return ToJson(TRY(library_->Run(view)));
  }

 private:
  std::optional<NetworkLibrary> library_;
};

}  // namespace

int ServeLibrary(int fd) {
  LineChannel channel(fd);
  LibraryServer server;
  for (;;) {
    const Result<Json> request = channel.Receive(-1);
    if (!request.ok()) return 0;  // the client is gone
    const Json reply = ParseJson(SealReply(server.Answer(request.value())), "a reply").value();
    if (!channel.Send(reply).ok()) return 0;
  }
}

}  // namespace mutatenn
