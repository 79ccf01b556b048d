// The lowering list of TVM's s_tir pipeline, less the passes that only annotated schedules need; code
// generation by LLVM; linking by GNU ld, the fastest linker for one small object.
#include "compile/codegen.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "base/files.h"
#include "base/hash.h"
#include "program/program.h"
#include "tvm/passes.h"
#include "tvm/symbols.h"

extern char** environ;

namespace mutatenn {

const std::vector<std::string>& LoweringPasses() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const LoweringPass& pass : kLoweringPasses) all.emplace_back(pass.name);
    return all;
  }();
  return names;
}

Result<Node> Lower(const Node& function, const Target& target) {
  return Guard("lowering", [&] {
    Node named = WithAttribute(function, "global_symbol", kKernelSymbol);
    named = WithAttribute(named, "target", target.node);
    Node module = MakeModule({{kKernelSymbol, named}});
    for (const LoweringPass& pass : kLoweringPasses) {
      Node made = pass.has_argument ? Call(pass.name, pass.argument) : Call(pass.name);
      module = RunPass(made, module);
    }
    return module;
  });
}

Result<std::string> EmitObject(const Node& lowered, const Target& target, const std::string& path) {
  TRY(Guard("code generation", [&] {
    Node module = lowered;
    for (const char* pass : kPackingPasses) module = RunPass(Call(pass), module);
    Node library = Call(global::kBuildLlvm, module, target.node);
    Call(global::kWriteModule, library, path, "o");
    return Unit{};
  }));
  return path;
}

Status LinkLibrary(const std::vector<std::string>& objects, const std::string& path) {
  std::vector<std::string> arguments = {"ld", "-shared", "-s", "-o", path};
  arguments.insert(arguments.end(), objects.begin(), objects.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string log = path + ".log";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t pid = 0;
  int error = posix_spawnp(&pid, "ld", &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return Fail(Code::kUnavailable, "cannot start the linker 'ld' (", std::strerror(error),
                "): install binutils");
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  auto text = ReadFile(log);
  ::unlink(log.c_str());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Fail(Code::kIo, "linking ", path, " failed: ", text.ok() ? *text : "no message");
  return Ok();
}

Result<std::string> BuildLibrary(const Node& function, const Target& target, const std::string& path) {
  Node lowered = TRY(Lower(function, target));
  const std::string object = TRY(EmitObject(lowered, target, path + ".o"));
  const std::string hash = HashBytes(TRY(ReadFile(object)));
  Status linked = LinkLibrary({object}, path);
  ::unlink(object.c_str());
  if (!linked.ok()) return linked.error();
  return hash;
}

}  // namespace mutatenn
