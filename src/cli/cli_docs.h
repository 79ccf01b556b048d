// docs/cli.md as text.
#pragma once

#include <string>

namespace mutatenn {

std::string CliDocs();

}  // namespace mutatenn
