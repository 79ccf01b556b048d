# room(name [GLOB dir...] DEPENDS ... LIBS ...): every .cc of src/<name> becomes an OBJECT library
# mutatenn_<name>; every *_test.cc becomes the program test_<name>. A room sees only the headers and
# objects of the rooms it names, so an arrow that src/README.md does not draw does not link.
include(CMakeParseArguments)

# Transitive closure of a room's dependencies, itself last.
function(_room_closure out)
  set(seen)
  set(todo ${ARGN})
  while(todo)
    list(POP_FRONT todo next)
    if(NOT next IN_LIST seen)
      list(APPEND seen ${next})
      get_property(deps GLOBAL PROPERTY ROOM_DEPENDS_${next})
      list(APPEND todo ${deps})
    endif()
  endwhile()
  set(${out} ${seen} PARENT_SCOPE)
endfunction()

function(room name)
  cmake_parse_arguments(R "" "" "SUBDIRS;EXCLUDE;DEPENDS;LIBS" ${ARGN})
  set(dir ${PROJECT_SOURCE_DIR}/src/${name})
  set(globs ${dir}/*.cc)
  foreach(sub ${R_SUBDIRS})
    list(APPEND globs ${dir}/${sub}/*.cc)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${globs})
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set_property(GLOBAL PROPERTY ROOM_DEPENDS_${name} ${R_DEPENDS})
  set_property(GLOBAL PROPERTY ROOM_LIBS_${name} ${R_LIBS})
  if(sources)
    add_library(mutatenn_${name} OBJECT ${sources})
    target_include_directories(mutatenn_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
    room_link(mutatenn_${name} ${name})
    set_property(GLOBAL APPEND PROPERTY ROOMS_WITH_OBJECTS ${name})
  endif()
  if(tests AND MUTATENN_BUILD_TESTS)
    add_executable(test_${name} ${tests})
    room_test(test_${name} unit "${name}/" 600 ${name})
    # Tests start these programs.
    add_dependencies(test_${name} mutatenn mutatenn-worker mutatenn-worker-sabotage)
  endif()
endfunction()

# Makes `target` a GoogleTest program over the named rooms, registered with ctest under `prefix`.
function(room_test target label prefix timeout)
  room_program(${target} ${ARGN})
  # A library of its own, so that its definitions do not reach the tests' sources.
  if(NOT TARGET mutatenn_test_environment)
    add_library(mutatenn_test_environment OBJECT ${PROJECT_SOURCE_DIR}/tests/support/environment.cc)
    target_compile_definitions(mutatenn_test_environment PRIVATE
      MUTATENN_TEST_SOURCE_DIR="${PROJECT_SOURCE_DIR}" MUTATENN_TEST_BIN_DIR="${CMAKE_BINARY_DIR}/bin"
      MUTATENN_TEST_PYTHON="${Python3_EXECUTABLE}")
    target_link_libraries(mutatenn_test_environment PRIVATE mutatenn_options)
  endif()
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:mutatenn_test_environment>)
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_options(${target} PRIVATE -O1)  # a third less to compile, and tests run once
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${target} TEST_PREFIX "${prefix}" DISCOVERY_TIMEOUT 120
    PROPERTIES TIMEOUT ${timeout} LABELS ${label})
endfunction()

# External libraries of a room and all it depends on.
function(room_link target)
  _room_closure(rooms ${ARGN})
  foreach(r ${rooms})
    get_property(libs GLOBAL PROPERTY ROOM_LIBS_${r})
    target_link_libraries(${target} PRIVATE ${libs})
  endforeach()
  target_link_libraries(${target} PRIVATE mutatenn_options)
endfunction()

# A program made of the objects of the named rooms and all they depend on.
function(room_program target)
  _room_closure(rooms ${ARGN})
  get_property(with_objects GLOBAL PROPERTY ROOMS_WITH_OBJECTS)
  foreach(r ${rooms})
    if(r IN_LIST with_objects)
      target_sources(${target} PRIVATE $<TARGET_OBJECTS:mutatenn_${r}>)
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  room_link(${target} ${ARGN})
endfunction()
