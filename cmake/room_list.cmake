# The rooms and the arrows between them; src/README.md draws the same picture.
include(Room)
set(MUTATENN_TEST_ENVIRONMENT
  "MUTATENN_PYTHON=${Python3_EXECUTABLE};MUTATENN_SOURCE_DIR=${PROJECT_SOURCE_DIR};MUTATENN_BIN_DIR=${CMAKE_BINARY_DIR}/bin")
if(MUTATENN_BUILD_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

room(base LIBS nlohmann_json::nlohmann_json fmt::fmt spdlog::spdlog)
room(program DEPENDS base)
room(judge DEPENDS base)
room(store DEPENDS base LIBS SQLiteCpp SQLite::SQLite3)
room(tvm DEPENDS base LIBS TVM::runtime)
target_compile_definitions(mutatenn_tvm PRIVATE MUTATENN_TVM_COMPILER="${TVM_COMPILER_LIBRARY}")
room(model DEPENDS base LIBS opencv_core opencv_imgproc opencv_imgcodecs)
# The build tree's own interpreter; an installed program is told by its launcher.
target_compile_definitions(mutatenn_model PRIVATE MUTATENN_DEFAULT_PYTHON="${Python3_EXECUTABLE}")
room(mutation SUBDIRS graph code lowered build DEPENDS program tvm)
room(compile SUBDIRS schedule DEPENDS program tvm mutation model)
room(device DEPENDS program judge tvm)
room(worker DEPENDS program judge tvm device)
room(analysis DEPENDS judge store LIBS Boost::headers)
room(report DEPENDS store analysis)
room(campaign DEPENDS model compile mutation device judge store analysis)
room(cli DEPENDS campaign report LIBS CLI11::CLI11)

add_executable(mutatenn src/cli/main.cc)
room_program(mutatenn cli)
add_executable(mutatenn-worker src/worker/main.cc)
room_program(mutatenn-worker worker)
foreach(program mutatenn mutatenn-worker)
  # From the build tree the wheels' absolute path serves; from site-packages/mutatenn/bin a relative one.
  set_target_properties(${program} PROPERTIES
    INSTALL_RPATH "$ORIGIN/../../tvm/lib;$ORIGIN/../../tvm_ffi/lib")
endforeach()

if(MUTATENN_BUILD_TESTS)
  include(${PROJECT_SOURCE_DIR}/src/worker/sabotage.cmake)
  include(${PROJECT_SOURCE_DIR}/tests/tests.cmake)
endif()
