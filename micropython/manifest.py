# Frozen into the firmware.
include("manifest_stock.py")
package("anne", base_path="../python_api")
