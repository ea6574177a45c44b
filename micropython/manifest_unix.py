# Frozen into the unix port.
include("$(MPY_DIR)/extmod/asyncio")
include("manifest_anne.py")
