// The command line of `mutatenn-worker serve`.
#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "device/file_cache.h"
#include "worker/serve.h"

namespace mutatenn {
namespace {

constexpr const char* kUsage =
    "usage: mutatenn-worker serve [--listen HOST:PORT] [--secret-file FILE] [--cache DIR]\n"
    "                             [--cache-mb N] [--tracker HOST:PORT --key KEY]\n"
    "  --listen HOST:PORT   default 127.0.0.1:9190; port 0 takes a free one\n"
    "  --secret-file FILE   clients have to know what the file holds\n"
    "  --cache DIR          keeps programs, weights and inputs by content "
    "(~/.cache/mutatenn-worker)\n"
    "  --cache-mb N         removes the oldest files beyond this size at the start (4096)\n"
    "  --tracker HOST:PORT  registers at TVM's tracker (python -m tvm.exec.rpc_tracker)\n"
    "  --key KEY            the name of this kind of device there";
constexpr int kDefaultPort = 9190;
constexpr size_t kShortestSecret = 16;

Result<std::string> ReadSecret(const std::string& file) {
  std::string secret = TRY(ReadFile(file));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.size() < kShortestSecret)
    return Fail(Code::kInvalidInput, file,
                ": holds less than 16 characters; make one by: openssl rand -hex 16");
  return secret;
}

}  // namespace

Result<ServeOptions> ParseServeOptions(const std::vector<std::string>& arguments) {
  ServeOptions options;
  options.listen.port = kDefaultPort;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "--help" || name == "-h") return Fail(Code::kInvalidInput, kUsage);
    if (i + 1 == arguments.size())
      return Fail(Code::kInvalidInput, name, ": unknown, or needs a value\n", kUsage);
    const std::string& value = arguments[++i];
    if (name == "--listen") {
      options.listen = TRY(ParseAddress(value).With(name));
    } else if (name == "--secret-file") {
      options.secret = TRY(ReadSecret(value).With(name));
    } else if (name == "--cache") {
      options.cache = value;
    } else if (name == "--cache-mb") {
      options.cache_mb = std::atoll(value.c_str());
      if (options.cache_mb <= 0)
        return Fail(Code::kInvalidInput, name, ": must be a number above 0");
    } else if (name == "--tracker") {
      options.tracker = TRY(ParseAddress(value).With(name));
    } else if (name == "--key") {
      options.key = value;
    } else {
      return Fail(Code::kInvalidInput, name, ": unknown\n", kUsage);
    }
  }
  if (options.tracker.has_value() != !options.key.empty())
    return Fail(Code::kInvalidInput, "--tracker and --key go together");
  if (options.key.find_first_of(": ") != std::string::npos)
    return Fail(Code::kInvalidInput, "--key: no colon and no blank in it");
  if (options.cache.empty()) options.cache = DefaultCache();
  options.cache = std::filesystem::absolute(options.cache).lexically_normal().string();
  return options;
}

}  // namespace mutatenn
