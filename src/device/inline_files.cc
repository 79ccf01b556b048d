// Base64 in JSON, and into the folder.
#include "device/inline_files.h"

#include "base/base64.h"
#include "base/decode.h"
#include "device/file_cache.h"

namespace mutatenn {

std::string WithFiles(const InlineCall& call, const std::string& root,
                      const std::map<std::string, std::string>& files) {
  Json bytes = Json::object();
  for (const auto& [name, content] : files) bytes[name] = ToBase64(content);
  return DumpJson(
      {{"function", call.function}, {"argument", call.argument}, {"root", root}, {"files", bytes}});
}

Result<InlineCall> TakeInlineCall(const std::string& text) {
  const Json json = TRY(ParseJson(text, "a call with files"));
  return Decode("a call with files", [&]() -> Result<InlineCall> {
    const std::string root = json.at("root").get<std::string>();
    Json names = Json::array();
    for (const auto& [name, bytes] : json.at("files").items()) names.push_back(name);
    for (const Json& missing : TRY(MissingFiles(root, names))) {
      const std::string name = names[missing.get<size_t>()].get<std::string>();
      const std::string bytes =
          TRY(FromBase64(json.at("files").at(name).get_ref<const std::string&>()));
      TRY(KeepFile(root, name, bytes));
    }
    return InlineCall{json.at("function").get<std::string>(),
                      json.at("argument").get<std::string>()};
  });
}

}  // namespace mutatenn
