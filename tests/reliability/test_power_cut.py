"""That the power cuts of power_cut.py would find a deployment that loses a model, and what a full storage does."""

import errno

import pytest
from anne_tools.boards.deploy import deploy
from anne_tools.errors import DeviceError
from figures import ReliabilityError
from power_cut import (
    FILES,
    MODELS,
    OWN,
    UNIX_PORT,
    UnixPortDevice,
    deploy_statements,
    sweep,
    write_file_statements,
)

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


def test_the_sweep_finds_a_deployment_that_takes_a_users_file():
    def by_a_name_that_exists(data, path):
        return [s.replace("/.anne-deploy-1", "/net.anne.new") for s in deploy_statements(data, path)]

    with pytest.raises(ReliabilityError, match="/net.anne.new was harmed"):
        sweep(by_a_name_that_exists, 1, own=OWN)


def test_write_file_leaves_the_old_or_the_new_model():
    found = sweep(write_file_statements, 1, "/net.anne", own=OWN)
    assert found["cuts"] == found["old"] + found["new"]
    assert found["old"] > 10 and found["new"] > 0


def test_what_a_power_cut_left_goes_with_the_next_deployment():
    model = (MODELS / FILES[0]).read_bytes()
    with UnixPortDevice("unix://port") as device:
        device.put("/.anne-deploy-0", model)  # cut before it was renamed
        deploy(device, model, "/net.anne")
        assert device.exec("print(os.listdir('/'))") == "['net.anne']\n"


def test_a_full_storage_keeps_the_old_model():
    old, new = ((MODELS / name).read_bytes() for name in FILES)
    with UnixPortDevice("unix://port") as device:
        deploy(device, old, "/net.anne")
        device.exec("import os\nf = open('/full', 'wb')\nn = 0")
        while (
            device.exec("try:\n f.write(bytes(1024)); f.flush(); print(1)\nexcept OSError:\n print(0)")
            == "1\n"
        ):
            pass
        with pytest.raises(DeviceError, match="its storage is full; remove files from it"):
            deploy(device, new, "/net.anne")
        assert device.get("/net.anne") == old
        assert device.exec("print(os.listdir('/'))") == "['full', 'net.anne']\n"


def test_a_port_that_vanishes_while_deploying_leaves_the_old_or_the_new_model():
    old, new = ((MODELS / name).read_bytes() for name in FILES)
    n_statements = len(deploy_statements(new, "/net.anne"))
    found = []
    with UnixPortDevice("unix://port") as device:
        run = device._transport.exec_raw_no_follow
        for n_before in range(n_statements):
            deploy(device, old, "/net.anne")
            left = iter(range(n_before))

            def run_until_it_vanishes(source, left=left):
                if next(left, None) is None:
                    raise OSError(errno.EIO, "Input/output error")
                run(source)

            device._transport.exec_raw_no_follow = run_until_it_vanishes
            with pytest.raises(
                DeviceError, match=r"^unix://port: the board is gone .* Plug it in again and repeat$"
            ):
                deploy(device, new, "/net.anne")
            device._transport.exec_raw_no_follow = run
            found.append(device.get("/net.anne"))
    assert set(found) == {old, new}
