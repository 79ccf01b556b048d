# Whole-program tests: they run build/bin/mutatenn as a user does and read what it prints and writes.
# test_end_to_end uses a tiny network and the example; test_slow the real ones, label `slow`.
foreach(kind end_to_end slow)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*.cc)
  add_executable(test_${kind} ${sources} ${PROJECT_SOURCE_DIR}/tests/support/run.cc)
  room_test(test_${kind} ${kind} "${kind}/" 3000 store device)
  target_include_directories(test_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_dependencies(test_${kind} mutatenn mutatenn-worker)
endforeach()

# The wheel that `pip install .` makes, in a clean virtual environment.
add_test(NAME slow/Package.Wheel
  COMMAND ${PROJECT_SOURCE_DIR}/tests/package/test_wheel.sh ${Python3_EXECUTABLE})
set_tests_properties(slow/Package.Wheel PROPERTIES LABELS slow TIMEOUT 3000 SKIP_RETURN_CODE 77 RUN_SERIAL ON)

# The sources are formatted by the tree's own rules.
add_test(NAME lint/format COMMAND ${PROJECT_SOURCE_DIR}/tools/format --check)
set_tests_properties(lint/format PROPERTIES LABELS unit)

# The conformance suite of sessions (make test-devices).
file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/device/*_test.cc)
add_executable(test_devices ${sources})
room_test(test_devices unit "devices/" 600 device)
add_dependencies(test_devices mutatenn-worker mutatenn-upload)
