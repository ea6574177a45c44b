"""That the power cuts of power_cut.py would find a deployment that loses a model, and what a full storage does."""

import pytest
from anne_tools.deploy import deploy
from anne_tools.errors import DeviceError
from figures import ReliabilityError
from power_cut import FILES, MODELS, UNIX_PORT, UnixPortDevice, sweep

pytestmark = pytest.mark.skipif(not UNIX_PORT.exists(), reason="no unix port; `make test` builds it")


def test_the_sweep_finds_a_save_that_removes_first():
    def remove_first(data, path):
        return [
            "import os",
            f"os.remove({path!r})",
            f"f = open({path!r}, 'wb')",
            f"f.write({data!r})\nf.close()",
        ]

    with pytest.raises(ReliabilityError, match=r"operation .* /net.anne is neither old nor new"):
        sweep(remove_first, 1)


def test_a_full_storage_keeps_the_old_model():
    old, new = ((MODELS / name).read_bytes() for name in FILES)
    with UnixPortDevice("the unix port") as device:
        deploy(device, old, "/net.anne")
        device.exec("import os\nf = open('/full', 'wb')\nn = 0")
        while (
            device.exec("try:\n f.write(bytes(1024)); f.flush(); print(1)\nexcept OSError:\n print(0)")
            == "1\n"
        ):
            pass
        with pytest.raises(DeviceError, match="28"):  # ENOSPC
            deploy(device, new, "/net.anne")
        assert device.get("/net.anne") == old
        assert "net.anne.new" not in device.exec("print(os.listdir('/'))")
