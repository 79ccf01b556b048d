// `mutatenn compile-server`: the process that holds the compiler; started by the generator alone.
#include <fcntl.h>

#include "base/process.h"
#include "cli/subcommand.h"
#include "compile/generator.h"

namespace mutatenn {
namespace {

class CompileServerCommand : public Subcommand {
 public:
  void Configure(CLI::App&) override {}
  Result<int> Run(const GlobalOptions&) override {
    if (::fcntl(kChildSocket, F_GETFD) < 0) {
      return Fail(Code::kInvalidInput,
                  "compile-server is started by mutatenn itself, with a socket as fd 3");
    }
    return ServeCompiler(kChildSocket);
  }
};

SUBCOMMAND(CompileServerCommand, .name = "compile-server", .order = 100,
           .summary = "Serve the compiler over fd 3 (started by mutatenn itself)",
           .audience = Audience::kOurselves);

}  // namespace
}  // namespace mutatenn
