"""Runs on a Pico with an MPU-6050: teaches it three gestures, which it tells from then on, also after a power cut.

    anne deploy motion.anne                    the base: python examples/motion.py -o motion.anne
    mpremote mount examples exec "import gestures; gestures.main()"

The sensor's SDA is at GP4, its SCL at GP5, VCC at 3V3. A gesture takes two seconds: 100 readings of six axes. (Without
a sensor, teach.py does the same with recordings.)
"""

import struct
import time
from array import array

import anne

LABELS = ("left", "right", "shake")
TIMES = 5  # that each is shown
N_READINGS, HZ = 100, 50
# m/s2 and rad/s of a step, at 4 g and 500 degrees a second in 15 bits
SCALES = (4 * 9.81 / 32768,) * 3 + (500 * 3.14159 / 180 / 32768,) * 3


class Mpu6050:
    """The sensor behind `i2c`; its registers are those of InvenSense's RM-MPU-6000A."""

    def __init__(self, i2c, address=0x68):
        self._i2c, self._address, self._bytes = i2c, address, bytearray(14)
        for register, value in ((0x6B, 0), (0x1B, 0x08), (0x1C, 0x08)):  # awake; 500 degrees a second; 4 g
            i2c.writeto_mem(address, register, bytes([value]))

    def read_into(self, window, at):
        """Write acceleration and turning rate, three numbers each, to window[at] and behind it."""
        self._i2c.readfrom_mem_into(self._address, 0x3B, self._bytes)
        x, y, z, _, p, q, r = struct.unpack(">7h", self._bytes)  # between them stands the temperature
        for value in (x, y, z, p, q, r):
            window[at] = value * SCALES[at % 6]
            at += 1


def record(sensor, window, hz=HZ):
    """Fill `window` with readings, six numbers each, and take the mean off each axis: gravity and drift."""
    start = time.ticks_us()
    for at in range(0, len(window), 6):
        while time.ticks_diff(time.ticks_us(), start) < at // 6 * 1000000 // hz:
            pass
        sensor.read_into(window, at)
    for axis in range(6):
        mean = sum([window[i] for i in range(axis, len(window), 6)]) / (len(window) // 6)
        for i in range(axis, len(window), 6):
            window[i] -= mean


def teach(net, sensor, labels=LABELS, hz=HZ):
    """Return a Head of `net` that was shown each gesture some times."""
    head, window = anne.Head(net, labels), array("f", bytes(4 * 6 * N_READINGS))
    for n in range(TIMES):
        for label in labels:
            input(f"{label}, {n + 1} of {TIMES}: press Enter and make the gesture ")
            record(sensor, window, hz)
            head.add(label, window)
    head.fit(40)
    return head


def main():
    """Teach, save, and tell gestures until Ctrl-C."""
    from machine import I2C, Pin

    sensor = Mpu6050(I2C(0, sda=Pin(4), scl=Pin(5), freq=400000))
    teach(anne.load("/motion.anne"), sensor).save("/gestures.anne")
    net, window = anne.load("/gestures.anne"), array("f", bytes(4 * 6 * N_READINGS))
    while True:
        record(sensor, window)
        label, probability = net.classify(window)
        print(f"{label} {probability:.2f}")
