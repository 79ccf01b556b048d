# mutatenn-worker-sabotage: the worker with ways to break its fast executor, for tests only.
file(GLOB sabotage_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/worker/*.cc)
list(FILTER sabotage_sources EXCLUDE REGEX "_test\\.cc$")
add_executable(mutatenn-worker-sabotage ${sabotage_sources})
target_compile_definitions(mutatenn-worker-sabotage PRIVATE MUTATENN_SABOTAGE)
room_program(mutatenn-worker-sabotage device)
if(TARGET test_device)  # its tests start both
  add_dependencies(test_device mutatenn-worker mutatenn-worker-sabotage)
endif()
