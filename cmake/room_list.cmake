# The rooms and the arrows between them; src/README.md draws the same picture.
include(Room)
if(MUTATENN_BUILD_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

room(base LIBS nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog)
room(program DEPENDS base)
room(judge DEPENDS base LIBS Boost::headers)
room(store DEPENDS base LIBS SQLiteCpp SQLite::SQLite3)
room(tvm DEPENDS base LIBS TVM::runtime)
# A wheel is built in a temporary environment, whose paths mean nothing (or worse) where it runs.
if(SKBUILD)
  set(tvm_compiler "libtvm_compiler.so")
  set(default_python "")
else()
  set(tvm_compiler "${TVM_COMPILER_LIBRARY}")
  set(default_python "${Python3_EXECUTABLE}")
endif()
target_compile_definitions(mutatenn_tvm PRIVATE MUTATENN_TVM_COMPILER="${tvm_compiler}")
room(model DEPENDS base LIBS opencv_core opencv_imgproc opencv_imgcodecs)
# The build tree's own interpreter; an installed program is told by its launcher.
target_compile_definitions(mutatenn_model PRIVATE MUTATENN_DEFAULT_PYTHON="${default_python}")
room(mutation SUBDIRS graph code lowered build DEPENDS program tvm)
room(compile SUBDIRS schedule DEPENDS program tvm mutation model)
room(device DEPENDS program judge tvm)
room(worker DEPENDS program judge tvm device)
room(analysis DEPENDS judge store LIBS Boost::headers)
room(report DEPENDS store analysis LIBS opencv_core opencv_imgproc opencv_imgcodecs)
room(campaign DEPENDS model compile mutation device judge store analysis)
room(cli DEPENDS campaign report LIBS CLI11::CLI11)

add_executable(mutatenn src/cli/main.cc)
room_program(mutatenn cli)
add_executable(mutatenn-worker src/worker/main.cc)
room_program(mutatenn-worker worker)
# The same for the front-end child's Python (src/tvm/backtrace.cc).
add_library(mutatenn-backtrace MODULE src/tvm/backtrace.cc)
target_include_directories(mutatenn-backtrace PRIVATE $<TARGET_PROPERTY:TVM::runtime,INTERFACE_INCLUDE_DIRECTORIES>)
set_target_properties(mutatenn-backtrace PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_dependencies(mutatenn mutatenn-backtrace)
# TVM's compiler spends a tenth of its time in malloc: with this one a campaign takes 8 % less.
if(NOT MUTATENN_SANITIZE)
  target_link_libraries(mutatenn PRIVATE mimalloc)
endif()
foreach(program mutatenn mutatenn-worker)
  # From the build tree the wheels' absolute path serves; from site-packages/mutatenn/bin a relative one.
  set_target_properties(${program} PROPERTIES
    INSTALL_RPATH "$ORIGIN/../../tvm/lib;$ORIGIN/../../tvm_ffi/lib")
endforeach()

include(opencl)
include(upload)
add_dependencies(mutatenn mutatenn-upload)

if(MUTATENN_BUILD_TESTS)
  include(${PROJECT_SOURCE_DIR}/src/worker/sabotage.cmake)
  include(${PROJECT_SOURCE_DIR}/tests/tests.cmake)
endif()

include(${PROJECT_SOURCE_DIR}/bench/bench.cmake)
