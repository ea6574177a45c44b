# Frozen into the unix port, too: asyncio and our package.
include("$(MPY_DIR)/extmod/asyncio")
package("anne", base_path="../python_api")
