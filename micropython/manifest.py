# Frozen into the firmware: what stock firmware has except the drivers of micropython-lib, and our package.
include("manifest_anne.py")
freeze("$(PORT_DIR)/modules")
