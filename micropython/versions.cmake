# Sets ANNE_VERSION (file VERSION) and every pin of versions.env as a variable of the same name.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH ANNE_ROOT)
file(STRINGS ${ANNE_ROOT}/VERSION ANNE_VERSION LIMIT_COUNT 1)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/versions.env ANNE_PINS REGEX "^[A-Z]")
foreach(pin IN LISTS ANNE_PINS)
    string(REGEX MATCH "^([A-Z_]+)=(.*)$" matched "${pin}")
    set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
endforeach()
