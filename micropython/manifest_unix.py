# Frozen into the unix port.
include("$(MPY_DIR)/extmod/asyncio")
package("anne", base_path="../python_api")
