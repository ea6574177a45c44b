# Frozen into the firmware.
include("manifest_stock.py")
include("manifest_anne.py")
