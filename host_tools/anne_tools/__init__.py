"""The PC's side of AI-ANNE: convert, verify, deploy and run neural networks on a Raspberry Pi Pico."""
