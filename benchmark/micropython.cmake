# The module _bench, in the benchmark's firmware only (target anne-bench): the peers that kernels are measured against.
# emlearn's C headers come with its Python package (extra `bench`), which is found, not imported.
execute_process(
    COMMAND ${Python3_EXECUTABLE} -c
        "import importlib.util as u; print(u.find_spec('emlearn').submodule_search_locations[0], end='')"
    OUTPUT_VARIABLE EMLEARN_DIR RESULT_VARIABLE status ERROR_QUIET)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the benchmark's firmware needs the headers of emlearn: pip install 'ai-anne[bench]'")
endif()

add_library(bench_peers STATIC ${CMAKE_CURRENT_LIST_DIR}/peers.c ${CMAKE_CURRENT_LIST_DIR}/plain.c)
target_include_directories(bench_peers PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_include_directories(bench_peers SYSTEM PRIVATE ${EMLEARN_DIR})
target_compile_options(bench_peers PRIVATE -Wall -Wextra -Werror -O3 -g -ffunction-sections)

add_library(usermod_bench INTERFACE)
target_sources(usermod_bench INTERFACE ${CMAKE_CURRENT_LIST_DIR}/mod_bench.c)
target_link_libraries(usermod_bench INTERFACE bench_peers anne_core)
target_link_libraries(usermod INTERFACE usermod_bench)
