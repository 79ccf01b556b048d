# The rooms of mutatenn-worker alone, for another instruction set (tools/worker-aarch64): header-only
# libraries, no tests, a program that finds TVM's runtime beside itself.
#   in: MUTATENN_HEADERS  a folder with nlohmann/, fmt/ and xxhash.h, and nothing of this machine's libc
include(Room)
foreach(target nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${MUTATENN_HEADERS})
endforeach()
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)

room(base LIBS nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog)
room(program DEPENDS base)
room(judge DEPENDS base)
room(tvm DEPENDS base LIBS TVM::runtime)
target_compile_definitions(mutatenn_tvm PRIVATE MUTATENN_TVM_COMPILER="")
room(device DEPENDS program judge tvm)
room(worker DEPENDS program judge tvm device)

add_executable(mutatenn-worker src/worker/main.cc)
room_program(mutatenn-worker worker)
set_target_properties(mutatenn-worker PROPERTIES
  BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN" LINK_FLAGS "-Wl,--allow-shlib-undefined")

include(upload)
