# mutatenn-worker-sabotage: the worker's objects with ways to break its fast executor, for tests only.
add_executable(mutatenn-worker-sabotage src/worker/main.cc tests/support/sabotage.cc)
room_program(mutatenn-worker-sabotage worker)
if(TARGET test_device)  # its tests start both
  add_dependencies(test_device mutatenn-worker mutatenn-worker-sabotage)
endif()
