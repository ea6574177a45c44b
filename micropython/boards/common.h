// What all our boards share.

// "MicroPython v<version> on <date>" first, as tools that talk to boards expect it.
#define MICROPY_BANNER_NAME_AND_VERSION \
    "MicroPython " MICROPY_GIT_TAG " on " MICROPY_BUILD_DATE " with AI-ANNE " ANNE_VERSION ", " ANNE_BUILT_WITH
