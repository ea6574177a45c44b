"""Runs on the Pico: prints how many CPU cycles a turn of an empty loop takes; what else keeps the CPU busy is in it."""

import time

import machine


def loop_us(n):
    start = time.ticks_us()
    for _ in range(n):
        pass
    return time.ticks_diff(time.ticks_us(), start)


def main():
    times_us = sorted(loop_us(500) - loop_us(100) for _ in range(3))
    print(times_us[1] * machine.freq() / 400e6)


main()
