# Whole-program tests: they run build/bin/mutatenn as a user does and read what it prints and writes.
# test_end_to_end uses a tiny network and the example; test_slow the real ones, label `slow`.
foreach(kind end_to_end slow)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*.cc)
  add_executable(test_${kind} ${sources} ${PROJECT_SOURCE_DIR}/tests/support/run.cc)
  room_program(test_${kind} base)
  target_include_directories(test_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(test_${kind} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(test_${kind} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(test_${kind} mutatenn mutatenn-worker)
  gtest_discover_tests(test_${kind} TEST_PREFIX "${kind}/" DISCOVERY_TIMEOUT 120
    PROPERTIES ENVIRONMENT "${MUTATENN_TEST_ENVIRONMENT}" TIMEOUT 3000 LABELS ${kind})
endforeach()
