# What stock firmware has frozen in, except the drivers onewire, ds18x20, dht and neopixel of micropython-lib.
include("$(MPY_DIR)/extmod/asyncio")
freeze("$(PORT_DIR)/modules")
